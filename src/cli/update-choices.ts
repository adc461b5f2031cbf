import { RackError } from '../domain/error.ts'
import { insideRackOf } from './inside-rack.ts'
import type { Session } from './session.ts'

/** @throws usage beside what else an update does; unsupported for a rack whose daemon is elsewhere */
export async function renewOf(session: Session): Promise<void> {
  const { options, args } = session
  if (args.length > 0 || options.flag('plan') || options.list('replace').length > 0 || choosesAnew(session)) {
    throw new RackError('usage', '--renew-certificate is given alone: nothing else is updated with it', {
      hint: 'rack update --rack NAME --renew-certificate',
    })
  }
  const inside = insideRackOf(session)
  if (!inside) {
    throw new RackError(
      'unsupported',
      '--renew-certificate is of a rack whose daemon runs in its AWS account',
      {
        hint: 'Of another one: rack certs; the current rack and others: rack racks',
      },
    )
  }
  const { renewCertificate } = await import('./account/renew-certificate.ts')
  await renewCertificate(session, inside)
}

/** Whether the stacks of a rack in an account are spoken of. */
export function isOfStacks(session: Session): boolean {
  const { options } = session
  return (
    options.flag('plan') || options.flag('yes') || options.list('replace').length > 0 || choosesAnew(session)
  )
}

/** Whether something of a rack in an account is chosen anew. */
function choosesAnew({ options }: Session): boolean {
  const isSaid = (name: string) => options.text(name) !== undefined
  return options.list('api-allow').length > 0 || ['certificate', 'cpu', 'memory'].some(isSaid)
}

/** @throws unsupported for a rack whose daemon is elsewhere, and beside a file */
export function assertNothingChosen(session: Session): void {
  if (!choosesAnew(session)) return
  throw new RackError(
    'unsupported',
    '--certificate, --api-allow, --cpu and --memory are of a rack whose daemon runs in its AWS account',
    { hint: 'Name it, without a file: rack update --rack NAME; those that are known here: rack racks' },
  )
}
