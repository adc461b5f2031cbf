import { checkCertificate } from '../../account/check-certificate.ts'
import type { Chosen } from '../../account/chosen.ts'
import type { OpenAccount } from '../../account/open-account.ts'
import type { InsideInput } from '../../account/templates/inside.ts'
import type { Control } from '../../domain/control.ts'
import type { Resources } from '../../domain/rack.ts'
import { readNumber, readSize } from '../read-number.ts'
import type { Session } from '../session.ts'
import { readAllowed, readCertificateArn, usualDomain } from './account-options.ts'

/** What of a rack in an account is chosen anew by an update; absent where it stays. */
export interface NewChoices {
  /** ARN of ACM's certificate of the rack's domain, which stays. */
  certificate?: string
  /** From which ranges alone the API is reached. */
  allow?: string[]
  /** What apps may have in total. */
  total: Partial<Resources>
}

/** @throws usage */
export function readNewChoices({ options }: Pick<Session, 'options'>, region: string): NewChoices {
  const arn = options.text('certificate')
  const allow = readAllowed({ options })
  const cpuUnits = readNumber(options.text('cpu'), '--cpu')
  const memoryBytes = readSize(options.text('memory'), '--memory')
  return {
    ...(arn !== undefined && { certificate: readCertificateArn(arn, region) }),
    ...(allow.length > 0 && { allow }),
    total: { ...(cpuUnits !== undefined && { cpuUnits }), ...(memoryBytes !== undefined && { memoryBytes }) },
  }
}

/**
 * As it was chosen, but for what is chosen anew, of a rack whose daemon runs in the account.
 * @throws not-found, conflict for a certificate that is not of its domain
 */
export async function withNewChoices(
  { clients }: Pick<OpenAccount, 'clients'>,
  { chosen, domain, choices }: { chosen: Chosen; domain: string; choices: NewChoices },
  control: Pick<Control, 'signal'>,
): Promise<Chosen> {
  const { certificate, allow } = choices
  if (certificate !== undefined)
    await checkCertificate(clients.certificates, { arn: certificate, domain }, control)
  return {
    ...chosen,
    ...(certificate !== undefined && { certificate }),
    inside: { ...withDomain(chosen, domain), ...(allow !== undefined && { allow }) },
  }
}

/** An earlier install did not say its domain to the stacks: by it the daemon may put records of apps into a zone. Pure. */
export function withDomain({ rack, inside }: Pick<Chosen, 'rack' | 'inside'>, domain: string): InsideInput {
  const isUnsaid = inside!.domain === undefined && domain !== usualDomain(rack)
  return { ...inside!, ...(isUnsaid && { domain }) }
}
