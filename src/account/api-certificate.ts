import { X509Certificate } from 'node:crypto'
import type { ACM, Tag } from '@aws-sdk/client-acm'
import { isAwsError } from '../aws/errors.ts'
import { rackTag } from '../aws/own-stack.ts'
import { untilOver } from '../aws/until-over.ts'
import type { Control } from '../domain/control.ts'
import { createSelfSigned } from '../lib/x509/issue.ts'
import { apiHostOf } from './templates/inside.ts'
import { kindTag } from './templates/template.ts'

/** As `rack:kind` says it of what an install imports. */
const kind = 'api'

interface Account {
  clients: { certificates: ACM }
  /** How often ACM is asked whether it lets go of one, ms; three seconds when absent. */
  intervalMs?: number
}

const dayMs = 24 * 3600_000
/** Nobody but the rack's own clients believes it, and those hold it itself: it outlives whoever installs it. */
const lifeMs = 20 * 365 * dayMs

/**
 * The certificate that the API of a rack shows: the one that an earlier install has imported, or else a new one, signed
 * by itself. Its key is in memory alone until ACM has it, which never gives it away. Gives its ARN; safe to repeat.
 */
export async function ensureApiCertificate(
  account: Account,
  rack: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<string> {
  const [there] = await findOwn(account, rack, signal)
  if (there !== undefined) return there
  const { CertificateArn } = await account.clients.certificates.importCertificate(
    {
      ...(await freshPair(rack)),
      Tags: [
        { Key: rackTag, Value: rack },
        { Key: kindTag, Value: kind },
      ],
    },
    { abortSignal: signal },
  )
  return CertificateArn!
}

/**
 * Has ACM keep a new one under the same ARN, in one step: listeners show it within minutes (D: "Reimport a certificate").
 * Whoever believes the one before believes no more what is shown then. Gives the new one.
 */
export async function renewApiCertificate(
  account: Account,
  { rack, arn: CertificateArn }: { rack: string; arn: string },
  { signal: abortSignal }: Pick<Control, 'signal'>,
): Promise<X509Certificate> {
  const pair = await freshPair(rack)
  await account.clients.certificates.importCertificate({ CertificateArn, ...pair }, { abortSignal })
  return new X509Certificate(pair.Certificate)
}

async function freshPair(rack: string) {
  const now = Date.now()
  const { certificate, key } = await createSelfSigned({
    names: [apiHostOf(rack)],
    // The clock of whoever installs may be ahead of others.
    from: new Date(now - dayMs),
    until: new Date(now + lifeMs),
  })
  return { Certificate: Buffer.from(certificate), PrivateKey: Buffer.from(key) }
}

/** ACM may hear minutes later that a balancer is gone. */
const letGoDeadlineMs = 1_200_000

/** Takes it away: one that no listener shows any more is waited for until ACM knows it. Safe to repeat. @throws timeout */
export async function removeApiCertificate(
  account: Account,
  rack: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const { clients, intervalMs = 3000 } = account
  for (const CertificateArn of await findOwn(account, rack, signal)) {
    const remove = async () => {
      try {
        await clients.certificates.deleteCertificate({ CertificateArn }, { abortSignal: signal })
        return true
      } catch (error) {
        if (isAwsError(error, 'ResourceNotFoundException')) return true
        if (isAwsError(error, 'ResourceInUseException')) return false
        throw error
      }
    }
    const what = `the certificate ${CertificateArn} to be let go`
    await untilOver(remove, { intervalMs, deadlineMs: letGoDeadlineMs, what, signal })
  }
}

async function findOwn(
  { clients: { certificates } }: Account,
  rack: string,
  abortSignal: AbortSignal,
): Promise<string[]> {
  const found: string[] = []
  let token: string | undefined
  do {
    const page = await certificates.listCertificates(
      // D: without it those of RSA alone are told.
      { Includes: { keyTypes: ['EC_prime256v1'] }, ...(token && { NextToken: token }) },
      { abortSignal },
    )
    for (const { CertificateArn = '', DomainName } of page.CertificateSummaryList ?? []) {
      if (DomainName !== apiHostOf(rack)) continue
      const { Tags = [] } = await certificates.listTagsForCertificate({ CertificateArn }, { abortSignal })
      if (isTagged(Tags, rackTag, rack) && isTagged(Tags, kindTag, kind)) found.push(CertificateArn)
    }
    token = page.NextToken
  } while (token)
  return found
}

const isTagged = (tags: readonly Tag[], key: string, value: string) =>
  tags.some(({ Key, Value }) => Key === key && Value === value)
