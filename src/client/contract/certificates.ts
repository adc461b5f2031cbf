import * as z from 'zod'
import type { AcmeChange, AcmeInfo } from '../../domain/acme-info.ts'
import type { Authority, Certificate } from '../../domain/certificate.ts'
import { paths } from '../paths.ts'
import { nothing, op, time } from './op.ts'

const certificate = z
  .object({
    id: z.string(),
    names: z.array(z.string()),
    issuer: z.string(),
    fingerprint: z.string(),
    from: time,
    until: time,
    since: time,
    authority: z.string().nullable().describe('Its directory; null for one that was brought'),
  })
  .meta({ id: 'Certificate' }) satisfies z.ZodType<Certificate>

const authority = z
  .object({ certificate: z.string(), fingerprint: z.string(), until: time })
  .meta({ id: 'Authority' }) satisfies z.ZodType<Authority>

const failure = z.object({
  time,
  reason: z.string(),
  hint: z.string(),
  notBefore: time.nullable().describe('Until when the authority wants to be left alone'),
})

const acme = z
  .object({
    directory: z.string().nullable().describe('Null where no authority is asked'),
    email: z.string().nullable(),
    hasCa: z.boolean().describe('Whether somebody has told who signs for the directory itself'),
    terms: z.string().nullable().describe('Of its service, in the answer to a change'),
    orders: z.array(
      z.object({
        name: z.string(),
        status: z.enum(['open', 'failed']),
        failures: z.number().describe('In a row'),
        next: time.describe('When it is tried again'),
        failed: failure.nullable(),
      }),
    ),
  })
  .meta({ id: 'Acme' }) satisfies z.ZodType<AcmeInfo>

const acmeChange = z.strictObject({
  directory: z
    .string()
    .max(500)
    .nullable()
    .optional()
    .describe('letsencrypt, or a URL; null asks none any more'),
  email: z.string().max(300).nullable().optional(),
  ca: z.string().max(100_000).nullable().optional().describe('PEM'),
}) satisfies z.ZodType<AcmeChange>

const certificateParams = z.object({ certificate: z.string() })
const pem = z.string().max(100_000)

/** What the router shows to those who come by TLS. */
export const certificateOperations = {
  listCertificates: op({
    ...paths.listCertificates,
    summary: 'Certificates that were brought, newest first; never a key.',
    reply: z.array(certificate),
  }),
  addCertificate: op({
    ...paths.addCertificate,
    summary: 'Keep a certificate with its key, and show it for its names from now on.',
    body: z.strictObject({ certificate: pem, key: pem }),
    reply: certificate,
  }),
  getCertificate: op({
    ...paths.getCertificate,
    summary: 'One of them, by its id or by a host for which it is shown.',
    params: certificateParams,
    reply: certificate,
  }),
  removeCertificate: op({
    ...paths.removeCertificate,
    summary: "Forget one; its names are shown what the rack's own authority signs.",
    params: certificateParams,
    reply: nothing,
  }),
  renewCertificate: op({
    ...paths.renewCertificate,
    summary:
      'Have another one of the authority, although that which is there still holds; named by its id or a host.',
    params: certificateParams,
    reply: certificate,
  }),
  getAcme: op({
    ...paths.getAcme,
    summary: 'The authority that is asked for certificates, and what is being had of it.',
    reply: acme,
  }),
  changeAcme: op({
    ...paths.changeAcme,
    summary: 'Ask an authority from now on, once it has given the rack an account; what is absent stays.',
    body: acmeChange,
    reply: acme,
  }),
  getAuthority: op({
    ...paths.getAuthority,
    summary: "The rack's own authority: who believes it reaches every app by TLS.",
    reply: authority,
  }),
}
