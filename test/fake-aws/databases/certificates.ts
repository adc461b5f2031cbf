import { createAuthority, issueCertificate, type Issued } from '../../../src/lib/x509/issue.ts'

const dayMs = 86_400_000

/** Certificates of servers, as AWS gives them. */
export interface ServerCertificates {
  /** PEM of who signs them, as RDS has one for each Region. */
  authority: string
  issue: (host: string) => Promise<Issued>
}

export async function createServerCertificates(): Promise<ServerCertificates> {
  const [from, until] = [new Date(Date.now() - dayMs), new Date(Date.now() + 30 * dayMs)]
  const authority = await createAuthority({ name: 'the authority of a fake account', from, until })
  return {
    authority: authority.certificate,
    issue: async (host) =>
      await issueCertificate({ authority, names: [host], from, until, usages: ['server'] }),
  }
}

/** Where a daemon finds who signs them, as `RACK_DATABASE_AUTHORITIES` names it. */
export const authorityUrl = (authority: string) =>
  `data:application/x-pem-file;base64,${Buffer.from(authority).toString('base64')}`
