import type { AcmeChange, AcmeInfo } from '../../domain/acme-info.ts'
import type { Authority, Certificate } from '../../domain/certificate.ts'
import type { Control } from '../../domain/control.ts'

/** What is shown to those who come by TLS, and where the rack has it from. */
export interface CertificateOperations {
  /** Those that somebody has brought or an authority has given; never a key. */
  listCertificates(): Promise<Certificate[]>
  /** @param certificate its id, or a host for which it is shown */
  getCertificate(certificate: string): Promise<Certificate>
  /** Shown from then on, PEM. @throws invalid, which says what is wrong with it; exists */
  addCertificate(pair: { certificate: string; key: string }, control: Control): Promise<Certificate>
  removeCertificate(certificate: string, control: Control): Promise<void>
  /** @param certificate its id, or a host that is to have one. @throws conflict; certificate-failed; timeout */
  renewCertificate(certificate: string, control: Control): Promise<Certificate>
  /** The authority that is asked for certificates, and what is being had of it. */
  getAcme(): Promise<AcmeInfo>
  /** @throws invalid; certificate-failed, and then all is as it was */
  changeAcme(change: AcmeChange, control: Control): Promise<AcmeInfo>
  /** The rack's own, that signs what is shown for all other names. */
  getAuthority(): Promise<Authority>
}
