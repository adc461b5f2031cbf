import type { Control } from '../../../domain/control.ts'
import type { AwsParts } from '../parts.ts'

/** ARN of the certificate of the rack's domain, which the web shows to whom it knows no better for; null without one. */
export async function defaultCertificate(
  { clients, places }: Pick<AwsParts, 'clients' | 'places'>,
  { signal }: Pick<Control, 'signal'>,
): Promise<string | null> {
  const { https } = places.balancer.listeners
  if (https === null) return null
  const answer = await clients.balancers.describeListeners({ ListenerArns: [https] }, { abortSignal: signal })
  return answer.Listeners?.[0]?.Certificates?.[0]?.CertificateArn ?? null
}
