import { createHash } from 'node:crypto'
import type { CertificateDetail } from '@aws-sdk/client-acm'
import type { Control } from '../../../domain/control.ts'
import type { ProofRecord } from '../../../domain/name-state.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { pages } from '../look/found.ts'
import { awsTags, readAwsTags } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** A certificate of ACM that the rack has asked for. */
export interface OwnCertificate {
  arn: string
  name: string
  state: 'pending' | 'issued' | 'failed' | 'expired'
  createdMs: number
  /** Null for a moment after it was asked for. */
  proof: ProofRecord | null
  /** As ACM says it. */
  failure: string | null
}

/** What is asked for by the rack itself, and by no stack of it. */
const kind = 'name'

export async function ownCertificates(
  parts: Pick<AwsParts, 'clients' | 'rack'>,
  { signal }: Pick<Control, 'signal'>,
): Promise<OwnCertificate[]> {
  const { certificates } = parts.clients
  const abort = { abortSignal: signal }
  const list = async (NextToken?: string) => {
    const answer = await certificates.listCertificates({ ...(NextToken && { NextToken }) }, abort)
    return { items: answer.CertificateSummaryList ?? [], nextToken: answer.NextToken }
  }
  const found: OwnCertificate[] = []
  for await (const { CertificateArn } of pages(list)) {
    try {
      const { Tags } = await certificates.listTagsForCertificate({ CertificateArn }, abort)
      const tags = readAwsTags(Tags)
      if (tags.rack !== parts.rack || tags.kind !== kind) continue
      const { Certificate } = await certificates.describeCertificate({ CertificateArn }, abort)
      found.push(toOwn(Certificate!))
    } catch (error) {
      // Another hand has taken it away meanwhile.
      if (!isAwsError(error, 'ResourceNotFoundException')) throw error
    }
  }
  return found
}

const states: Record<string, OwnCertificate['state']> = {
  ISSUED: 'issued',
  PENDING_VALIDATION: 'pending',
  VALIDATION_TIMED_OUT: 'expired',
  EXPIRED: 'expired',
}

function toOwn(detail: CertificateDetail): OwnCertificate {
  const { CertificateArn = '', DomainName = '', Status = '', CreatedAt, FailureReason } = detail
  const record = detail.DomainValidationOptions?.[0]?.ResourceRecord
  const name = record?.Name?.replace(/\.$/, '')
  return {
    arn: CertificateArn,
    name: DomainName,
    state: states[Status] ?? 'failed',
    createdMs: CreatedAt?.getTime() ?? 0,
    proof: name && record?.Value ? { name, type: 'CNAME', value: record.Value } : null,
    failure: FailureReason ?? (states[Status] ? null : Status),
  }
}

/** Whoever asks twice within an hour gets the same. */
export async function requestCertificate(
  { clients, rack }: Pick<AwsParts, 'clients' | 'rack'>,
  name: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const token = createHash('sha256').update(`${rack} ${name}`).digest('hex').slice(0, 32)
  await clients.certificates.requestCertificate(
    {
      DomainName: name,
      ValidationMethod: 'DNS',
      IdempotencyToken: token,
      Tags: awsTags({ rack, kind }),
    },
    { abortSignal: signal },
  )
}

/** Safe to repeat; false while something shows it still. */
export async function deleteCertificate(
  { clients }: Pick<AwsParts, 'clients'>,
  arn: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<boolean> {
  try {
    await clients.certificates.deleteCertificate({ CertificateArn: arn }, { abortSignal: signal })
    return true
  } catch (error) {
    if (isAwsError(error, 'ResourceNotFoundException')) return true
    if (isAwsError(error, 'ResourceInUseException')) return false
    throw error
  }
}
