import { X509Certificate } from 'node:crypto'
import { rootCertificates } from 'node:tls'
import { databaseAuthorities } from './database-authorities.ts'

/**
 * Whose certificates servers show that an account runs, as PEM: those of RDS, and Amazon's public ones, of which
 * ElastiCache's are (D: "ElastiCache in-transit encryption", Amazon Trust Services).
 * @throws as `databaseAuthorities`
 * @see https://www.amazontrust.com/repository/
 */
export async function serverAuthorities(...asked: Parameters<typeof databaseAuthorities>): Promise<string> {
  const databases = await databaseAuthorities(...asked)
  return [databases.trimEnd(), ...amazonRoots(), ''].join('\n')
}

/** Of those that Node has of Mozilla's list. */
export function amazonRoots(): string[] {
  const isAmazon = (pem: string) =>
    /^(O=Amazon|CN=Starfield Services Root .*)$/m.test(new X509Certificate(pem).subject)
  return rootCertificates.filter(isAmazon)
}
