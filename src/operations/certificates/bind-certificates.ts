import { changeAcme, getAcme, renewCertificate } from '../acme/acme.ts'
import type { Context } from '../context.ts'
import type { CertificateOperations } from './certificate-operations.ts'
import { addCertificate, findCertificate, listCertificates, removeCertificate } from './certificates.ts'

export function bindCertificates(context: Context): CertificateOperations {
  return {
    listCertificates: async () => listCertificates(context),
    getCertificate: async (id) => findCertificate(context, id),
    addCertificate: (pair, control) => addCertificate(context, pair, control),
    removeCertificate: (id, control) => removeCertificate(context, id, control),
    renewCertificate: (asked, control) => renewCertificate(context, asked, control),
    getAcme: () => getAcme(context),
    changeAcme: (change, control) => changeAcme(context, change, control),
    getAuthority: () => context.certificates.authority(),
  }
}
