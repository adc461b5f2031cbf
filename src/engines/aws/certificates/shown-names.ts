import type { Control } from '../../../domain/control.ts'
import { pages } from '../look/found.ts'
import type { AwsParts } from '../parts.ts'

/** ARNs of the certificates that a listener shows besides its default one. */
export async function shownCertificates(
  { clients }: Pick<AwsParts, 'clients'>,
  listener: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  const list = async (Marker?: string) => {
    const input = { ListenerArn: listener, ...(Marker && { Marker }) }
    const answer = await clients.balancers.describeListenerCertificates(input, { abortSignal: signal })
    return { items: answer.Certificates ?? [], nextToken: answer.NextMarker }
  }
  const all = await Array.fromAsync(pages(list))
  return all.flatMap(({ CertificateArn, IsDefault }) =>
    CertificateArn && !IsDefault ? [CertificateArn] : [],
  )
}

/** For which names a listener shows a certificate; the default one is for the rack's domain, and one label below it. */
export async function shownNames(
  parts: Pick<AwsParts, 'clients' | 'domain' | 'certificateNames'>,
  listener: string,
  control: Pick<Control, 'signal'>,
): Promise<string[]> {
  const { domain } = parts
  const names = [domain, `*.${domain}`]
  for (const arn of await shownCertificates(parts, listener, control)) {
    names.push(...(await namesOf(parts, arn, control)))
  }
  return names
}

/** They never change. */
async function namesOf(
  { clients, certificateNames }: Pick<AwsParts, 'clients' | 'certificateNames'>,
  arn: string,
  { signal }: Pick<Control, 'signal'>,
): Promise<string[]> {
  const known = certificateNames.get(arn)
  if (known) return known
  const { Certificate } = await clients.certificates.describeCertificate(
    { CertificateArn: arn },
    { abortSignal: signal },
  )
  const names = Certificate?.SubjectAlternativeNames ?? []
  certificateNames.set(arn, names)
  return names
}
