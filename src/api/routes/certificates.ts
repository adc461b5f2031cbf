import type { Handlers } from '../handlers.ts'

type CertificateHandlers = Pick<
  Handlers,
  | 'listCertificates'
  | 'addCertificate'
  | 'getCertificate'
  | 'removeCertificate'
  | 'renewCertificate'
  | 'getAcme'
  | 'changeAcme'
  | 'getAuthority'
>

export const certificateHandlers: CertificateHandlers = {
  listCertificates: ({ operations }) => operations.listCertificates(),
  addCertificate: ({ operations, body, control }) => operations.addCertificate(body, control),
  getCertificate: ({ operations, params }) => operations.getCertificate(params.certificate),
  removeCertificate: async ({ operations, params, control }) => {
    await operations.removeCertificate(params.certificate, control)
    return null
  },
  renewCertificate: ({ operations, params, control }) =>
    operations.renewCertificate(params.certificate, control),
  getAcme: ({ operations }) => operations.getAcme(),
  changeAcme: ({ operations, body, control }) => operations.changeAcme(body, control),
  getAuthority: ({ operations }) => operations.getAuthority(),
}
