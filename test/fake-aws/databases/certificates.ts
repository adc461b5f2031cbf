import { createAuthority, issueCertificate, type Issued } from '../../../src/lib/x509/issue.ts'

const dayMs = 86_400_000

/** Certificates of servers, as AWS gives them, by an authority that nobody knows. */
export function createServerCertificates(): (host: string) => Promise<Issued> {
  const [from, until] = [new Date(Date.now() - dayMs), new Date(Date.now() + 30 * dayMs)]
  let authority: Promise<Issued> | undefined
  return async (host) => {
    authority ??= createAuthority({ name: 'the authority of a fake account', from, until })
    return await issueCertificate({
      authority: await authority,
      names: [host],
      from,
      until,
      usages: ['server'],
    })
  }
}
