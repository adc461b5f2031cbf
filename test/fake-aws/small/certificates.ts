import { createHash, createPrivateKey, randomUUID, X509Certificate } from 'node:crypto'
import * as sdk from '@aws-sdk/client-acm'
import { createAuthority, issueCertificate, type Issued } from '../../../src/lib/x509/issue.ts'
import { AwsError, type Action, type FakeAccount, type FakeService } from '../fake-service.ts'
import { inBackground } from '../in-background.ts'
import type { ShownCertificates } from '../links.ts'
import { paged } from '../paging.ts'

interface Certificate {
  arn: string
  names: string[]
  status: 'PENDING_VALIDATION' | 'ISSUED' | 'FAILED' | 'VALIDATION_TIMED_OUT'
  token: string | null
  tags: sdk.Tag[]
  createdAt: Date
  issuedAt: Date | null
  pair: Issued | null
  /** What listeners show still, where another was imported in its place just now. */
  earlier: Issued | null
  type: 'AMAZON_ISSUED' | 'IMPORTED'
  /** D: what ACM issues is of RSA unless it is asked for otherwise. */
  keyAlgorithm: 'RSA_2048' | 'EC_prime256v1'
  /** Whether a listener has shown it. */
  wasShown: boolean
  /** When ACM has heard that none does any more; null before anybody has asked for its deletion. */
  freeAt: number | null
}

export interface FakeCertificates {
  service: FakeService
  shown: ShownCertificates
  /** PEM of who signs: what a browser would believe. */
  authority: string
  /** One that is issued from the start, as a stack would have had it; gives its ARN. */
  add(names: string[]): Promise<string>
  /** Hears which listeners show one. */
  usedBy(find: (arn: string) => string[]): void
  /** The authority refuses names that end so from now on, as where a CAA record forbids it. */
  refused: Set<string>
}

/** Until the record that proves a name is told (D: not at once; the time is J). */
const recordMs = 5000
/** How often the authority looks (J), and for how long (D). */
const lookMs = 30_000
const patienceMs = 72 * 3600_000
/** As long one token asks for the same certificate (D). */
const tokenMs = 3600_000
/** So long ACM holds one in use that no listener shows any more (S: Terraform asks for up to 20 minutes; the time is J). */
const heldMs = 60_000
/** A page holds so many at most, though AWS allows 1,000: paging is on purpose. */
const mostOnPage = 5
/** Until listeners show what was imported in place of another (J; D: in minutes). */
const reimportedMs = 60_000
const year = 365 * 24 * 3600_000

const span = () => ({ from: new Date(Date.now() - 24 * 3600_000), until: new Date(Date.now() + year) })

/**
 * ACM: public certificates that are proved by DNS, and such as are imported.
 * @param lookUp what a public name leads to by a CNAME; null where it is not there
 */
export async function createCertificates(
  account: FakeAccount,
  lookUp: (name: string) => string | null,
): Promise<FakeCertificates> {
  const authority = await createAuthority({ name: 'Fake Amazon', ...span() })
  const all = new Map<string, Certificate>()
  const refused = new Set<string>()
  let users: (arn: string) => string[] = () => []
  const made = (names: string[], more: Partial<Certificate> = {}): Certificate => {
    const arn = `arn:aws:acm:${account.region}:${account.account}:certificate/${randomUUID()}`
    const createdAt = new Date(account.clock.now())
    const certificate: Certificate = {
      arn,
      names,
      createdAt,
      status: 'PENDING_VALIDATION',
      token: null,
      tags: [],
      issuedAt: null,
      pair: null,
      earlier: null,
      type: 'AMAZON_ISSUED',
      keyAlgorithm: 'RSA_2048',
      wasShown: false,
      freeAt: null,
      ...more,
    }
    all.set(arn, certificate)
    return certificate
  }
  const issue = async (names: string[]) =>
    await issueCertificate({ authority, names, usages: ['server'], ...span() })
  const find = (arn = '') => {
    const found = all.get(arn)
    if (found) return found
    throw new AwsError('ResourceNotFoundException', `Could not find certificate ${arn}.`)
  }

  async function prove(certificate: Certificate): Promise<void> {
    const { clock } = account
    const end = clock.now() + patienceMs
    while (certificate.status === 'PENDING_VALIDATION' && all.has(certificate.arn)) {
      await clock.pass(lookMs)
      const isRefused = certificate.names.some((name) => [...refused].some((end) => name.endsWith(end)))
      const records = certificate.names.map((name) => recordOf(account, name))
      if (isRefused) certificate.status = 'FAILED'
      else if (records.every(({ Name, Value }) => lookUp(Name) === Value)) {
        certificate.pair = await issue(certificate.names)
        certificate.issuedAt = new Date(clock.now())
        certificate.status = 'ISSUED'
      } else if (clock.now() > end) certificate.status = 'VALIDATION_TIMED_OUT'
    }
  }

  const world = { account, all, find, users: (arn: string) => users(arn), made, prove }
  const actions = { ...certificateActions(world), ...importActions(world, authority.certificate) }
  return {
    shown: {
      find(arn) {
        const found = all.get(arn)
        if (found) found.wasShown = true
        const pair = found?.earlier ?? found?.pair
        if (!found || !pair) return null
        const own = pair.certificate
        const chain = found.type === 'IMPORTED' ? own : `${own}\n${authority.certificate}`
        return { chain, key: pair.key, names: found.names }
      },
    },
    authority: authority.certificate,
    add: async (names) =>
      made(names, { status: 'ISSUED', issuedAt: new Date(), pair: await issue(names) }).arn,
    usedBy: (given) => void (users = given),
    refused,
    service: { scope: 'acm', sdk: { ...sdk }, actions },
  }
}

interface World {
  account: FakeAccount
  all: Map<string, Certificate>
  /** @throws AwsError where it is not there */
  find: (arn?: string) => Certificate
  users: (arn: string) => string[]
  made: (names: string[], more: Partial<Certificate>) => Certificate
  prove: (certificate: Certificate) => Promise<void>
}

function certificateActions({ account, all, find, users, made, prove }: World): Record<string, Action> {
  return {
    RequestCertificate: async (input: sdk.RequestCertificateRequest) => {
      const { DomainName = '', ValidationMethod, IdempotencyToken: token = null, Tags = [], ...rest } = input
      const unknown = Object.entries(rest).find(([, value]) => value !== undefined)
      if (unknown) throw new AwsError('ValidationException', `the fake account knows no ${unknown[0]}`)
      if (ValidationMethod !== 'DNS')
        throw new AwsError('ValidationException', 'the fake account proves names by DNS only')
      if (!/^(\*\.)?([a-z0-9_-]{1,63}\.)+[a-z0-9-]{1,63}$/.test(DomainName) || DomainName.length > 253)
        throw new AwsError('ValidationException', `'${DomainName}' is no domain name`)
      // D: "the length of the domain name (technically, the Common Name) cannot exceed 64 octets".
      if (DomainName.length > 64)
        throw new AwsError('ValidationException', `'${DomainName}' has more than 64 characters`)
      if (token !== null && !/^\w{1,32}$/.test(token))
        throw new AwsError('ValidationException', 'a token has up to 32 word characters')
      const now = account.clock.now()
      const same = [...all.values()].find(
        (each) =>
          token !== null &&
          each.token === token &&
          each.names[0] === DomainName &&
          now - each.createdAt.getTime() < tokenMs,
      )
      if (same) return { CertificateArn: same.arn }
      const certificate = made([DomainName], { token, tags: Tags })
      inBackground(account, prove(certificate))
      return { CertificateArn: certificate.arn }
    },
    DescribeCertificate: async ({ CertificateArn }: sdk.DescribeCertificateRequest) => ({
      Certificate: told(account, find(CertificateArn), users(CertificateArn!)),
    }),
    ListCertificates: async ({ NextToken, MaxItems, Includes, ...rest }: sdk.ListCertificatesRequest) => {
      const { keyTypes, ...others } = Includes ?? {}
      const unknown = Object.entries({ ...rest, ...others }).find(([, value]) => value !== undefined)
      if (unknown) throw new AwsError('ValidationException', `the fake account knows no ${unknown[0]}`)
      const pageSize = Math.min(MaxItems ?? 1000, mostOnPage)
      // D: "Default filtering returns only RSA_1024 and RSA_2048 certificates".
      const kinds: readonly string[] = keyTypes ?? ['RSA_1024', 'RSA_2048']
      const found = [...all.values()].filter(({ keyAlgorithm }) => kinds.includes(keyAlgorithm))
      const { page, next } = paged(found, NextToken, { pageSize, key: ({ arn }) => arn })
      const list = page.map(({ arn, names, status, type }) => ({
        CertificateArn: arn,
        DomainName: names[0],
        SubjectAlternativeNameSummaries: names,
        Status: status,
        Type: type,
      }))
      return { CertificateSummaryList: list, ...(next !== undefined && { NextToken: next }) }
    },
    ListTagsForCertificate: async ({ CertificateArn }: sdk.ListTagsForCertificateRequest) => ({
      Tags: find(CertificateArn).tags,
    }),
    DeleteCertificate: async ({ CertificateArn }: sdk.DeleteCertificateRequest) => {
      const certificate = find(CertificateArn)
      const { arn } = certificate
      if (users(arn).length > 0 || isHeld(account, certificate))
        throw new AwsError('ResourceInUseException', `Certificate ${arn} is in use.`)
      all.delete(arn)
      return {}
    },
  }
}

function isHeld({ clock }: FakeAccount, certificate: Certificate): boolean {
  certificate.freeAt ??= clock.now() + (certificate.wasShown ? heldMs : 0)
  return clock.now() < certificate.freeAt
}

/** What somebody else has signed, and what of any of them may be told: never its key. */
function importActions({ account, find, made }: World, authority: string): Record<string, Action> {
  return {
    ImportCertificate: async (input: sdk.ImportCertificateRequest) => {
      const { Certificate, PrivateKey, CertificateArn, Tags = [], ...rest } = input
      const unknown = Object.entries(rest).find(([, value]) => value !== undefined)
      if (unknown) throw new AwsError('ValidationException', `the fake account knows no ${unknown[0]}`)
      const pair = { certificate: textOf(Certificate), key: textOf(PrivateKey) }
      const names = namesOf(pair)
      if (CertificateArn !== undefined) {
        const there = find(CertificateArn)
        // D: "Reimport a certificate": of those that were imported, and without tags.
        if (there.type !== 'IMPORTED' || Tags.length > 0)
          throw new AwsError('ValidationException', 'The certificate cannot be reimported so.')
        Object.assign(there, { names, pair, earlier: there.pair })
        const show = async () => {
          await account.clock.pass(reimportedMs)
          there.earlier = null
        }
        inBackground(account, show())
        return { CertificateArn }
      }
      const { arn } = made(names, {
        status: 'ISSUED',
        issuedAt: new Date(account.clock.now()),
        tags: Tags,
        pair,
        type: 'IMPORTED',
        keyAlgorithm: 'EC_prime256v1',
      })
      return { CertificateArn: arn }
    },
    GetCertificate: async ({ CertificateArn }: sdk.GetCertificateRequest) => {
      const { pair, type } = find(CertificateArn)
      // D: of one that is not issued yet it is refused.
      if (pair === null)
        throw new AwsError('RequestInProgressException', 'The certificate is not issued yet.')
      return {
        Certificate: pair.certificate,
        ...(type === 'AMAZON_ISSUED' && { CertificateChain: authority }),
      }
    },
  }
}

const textOf = (bytes: Uint8Array | undefined) => Buffer.from(bytes ?? []).toString('utf8')

/** Its names, where ACM would take it (D: "Prerequisites for importing certificates"). */
function namesOf({ certificate, key }: Issued): string[] {
  try {
    const read = new X509Certificate(certificate)
    if (!read.checkPrivateKey(createPrivateKey(key))) throw new Error('The private key does not match it.')
    const isCurve = read.publicKey.asymmetricKeyDetails?.namedCurve === 'prime256v1'
    if (!isCurve) throw new Error('the fake account takes keys of EC_prime256v1 alone')
    if (Date.parse(read.validFrom) > Date.now() || Date.parse(read.validTo) < Date.now())
      throw new Error('The certificate is not valid now.')
    return (read.subjectAltName ?? '').split(', ').flatMap((part) => /^DNS:(.+)$/.exec(part)?.[1] ?? [])
  } catch (error) {
    throw new AwsError(
      'ValidationException',
      `The certificate cannot be imported: ${(error as Error).message}`,
    )
  }
}

/** The same for a name and all below it, for as long as the account asks (D). */
function recordOf({ account }: FakeAccount, name: string): { Name: string; Type: 'CNAME'; Value: string } {
  const base = name.replace(/^\*\./, '')
  const hash = (text: string) => createHash('sha256').update(`${account} ${text}`).digest('hex').slice(0, 32)
  return {
    Name: `_${hash(base)}.${base}.`,
    Type: 'CNAME',
    Value: `_${hash(`value ${base}`)}.acm-validations.aws.`,
  }
}

function told(account: FakeAccount, certificate: Certificate, users: string[]): sdk.CertificateDetail {
  const { arn, names, status, createdAt, issuedAt, type } = certificate
  const isTold = account.clock.now() - createdAt.getTime() >= recordMs
  return {
    CertificateArn: arn,
    DomainName: names[0],
    SubjectAlternativeNames: names,
    // D: of one that was imported ACM proves nothing.
    ...(type === 'AMAZON_ISSUED' && {
      DomainValidationOptions: names.map((name) => ({
        DomainName: name,
        ValidationDomain: name,
        ValidationStatus:
          status === 'ISSUED' ? 'SUCCESS' : status === 'PENDING_VALIDATION' ? 'PENDING_VALIDATION' : 'FAILED',
        ValidationMethod: 'DNS',
        ...(isTold && { ResourceRecord: recordOf(account, name) }),
      })),
    }),
    Status: status,
    Type: type,
    CreatedAt: createdAt,
    ...(issuedAt && { IssuedAt: issuedAt }),
    ...(status === 'FAILED' && { FailureReason: 'CAA_ERROR' as const }),
    InUseBy: users,
  }
}
