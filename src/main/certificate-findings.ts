import type { OwnCertificate } from '../engines/aws/certificates/own-certificates.ts'
import { hiddenBy } from '../engines/aws/certificates/hidden-names.ts'
import type { Finding } from '../host/finding.ts'

type Unproved = Pick<OwnCertificate, 'name' | 'state' | 'proof' | 'failure'>

/** Certificates of names of apps, while they are not issued. Pure. @param rack its domain, and the host of its load balancer */
export function certificateFindings(
  own: readonly Unproved[],
  { domain, host }: { domain: string; host: string },
): Finding[] {
  return own.flatMap(({ name, state, proof, failure }): Finding[] => {
    if (state === 'issued') return []
    const detail = `${name} has none yet: ${failure ?? 'ACM waits for a record in the DNS'}`
    if (!proof) {
      const fix = 'It is asked for again: look once more in a minute'
      return [{ check: 'certificate', status: 'warning', detail, fix }]
    }
    const put = `Put it where the DNS of ${name} is: ${proof.name} ${proof.type} ${proof.value}`
    const leads = hiddenBy(proof, domain).map((hidden) => `${hidden} CNAME ${host}`)
    const fix =
      leads.length === 0
        ? put
        : `${put}. Before it these, which *.${domain} leads no more once it is there: ${leads.join(', ')}`
    return [{ check: 'certificate', status: 'warning', detail, fix }]
  })
}
