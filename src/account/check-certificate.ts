import type { ACM, CertificateDetail } from '@aws-sdk/client-acm'
import { isAwsError } from '../aws/errors.ts'
import type { Control } from '../domain/control.ts'
import { RackError } from '../domain/error.ts'

/**
 * Whether a certificate of the account can be shown for all apps of a domain.
 * @throws not-found; conflict for one that is not issued, or is of other names
 */
export async function checkCertificate(
  certificates: ACM,
  { arn, domain }: { arn: string; domain: string },
  { signal }: Pick<Control, 'signal'>,
): Promise<void> {
  const found = await describe(certificates, arn, signal)
  const { Status, SubjectAlternativeNames: names = [] } = found
  const wanted = `*.${domain}`
  if (Status !== 'ISSUED') {
    throw new RackError('conflict', `the certificate ${arn} is not issued: ${Status}`, {
      hint: `See what it waits for: aws acm describe-certificate --certificate-arn ${arn}`,
    })
  }
  if (names.includes(wanted)) return
  throw new RackError('conflict', `the certificate ${arn} is of ${names.join(', ')}, and not of ${wanted}`, {
    hint: `Apps are reached as APP.${domain}: ask ACM for one of ${domain} and ${wanted}`,
  })
}

async function describe(
  certificates: ACM,
  arn: string,
  abortSignal: AbortSignal,
): Promise<CertificateDetail> {
  try {
    const { Certificate } = await certificates.describeCertificate({ CertificateArn: arn }, { abortSignal })
    return Certificate ?? {}
  } catch (error) {
    if (!isAwsError(error, 'ResourceNotFoundException')) throw error
    throw new RackError('not-found', `there is no certificate ${arn} in the account`, {
      hint: 'Those of the Region: aws acm list-certificates',
      cause: error,
    })
  }
}
