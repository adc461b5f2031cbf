import { readDaemonState } from '../../account/daemon-service.ts'
import { readKeptInstallation } from '../../account/kept-installation.ts'
import type { Client } from '../../client/client-types.ts'
import { RackError } from '../../domain/error.ts'
import type { Finding } from '../../host/finding.ts'
import type { InsideRack } from '../inside-rack.ts'
import type { Session } from '../session.ts'
import { inAccountOf, type InsideWork } from './inside.ts'

/** Looks at a rack inside its account: at what the account has of it, at its daemon there, and whether that answers. */
export async function examineInside(session: Session, known: InsideRack, client: Client): Promise<Finding[]> {
  return [...(await examineAccount(session, known)), await examineApi(known, client)]
}

async function examineAccount(session: Session, known: InsideRack): Promise<Finding[]> {
  const left = new RackError('cancelled', 'nothing was changed')
  try {
    return await inAccountOf(session, known, left, async (inside) => {
      const { account, access, control } = inside
      const bucket = { clients: account.clients, bucket: access.bucket }
      const { places, domain } = await readKeptInstallation(bucket, control)
      const doctor = await session.world.accountDoctor()
      return [...(await doctor({ name: access.rack, places, domain })), await examineDaemon(inside, known)]
    })
  } catch (error) {
    if (!(error instanceof RackError) || error === left) throw error
    return [findingOf('account', error)]
  }
}

async function examineDaemon(
  { account, access, control }: InsideWork,
  { name }: InsideRack,
): Promise<Finding> {
  const check = 'daemon'
  const state = await readDaemonState(account.clients.ecs, access, control)
  if (!state) {
    const detail = `the ECS service ${access.service} is gone`
    return { check, status: 'bad', detail, fix: `rack update --rack ${name}` }
  }
  const { desired, running, lastEvent } = state
  if (desired === 0)
    return { check, status: 'bad', detail: 'it is stopped', fix: `rack start --rack ${name}` }
  const detail = `${running} of ${desired} tasks of the ECS service ${access.service} run`
  if (running >= desired) return { check, status: 'good', detail }
  const why = lastEvent === null ? '' : `; ECS: ${lastEvent}`
  const fix = `aws logs tail /rack/${access.rack}/_daemon --region ${access.region}`
  return { check, status: 'bad', detail: `${detail}${why}`, fix }
}

async function examineApi({ url, pin }: InsideRack, client: Client): Promise<Finding> {
  try {
    const { version } = await client.getRack()
    return {
      check: 'api',
      status: 'good',
      detail: `${url} answers (Rack ${version}), by ${pin?.fingerprint}`,
    }
  } catch (error) {
    if (!(error instanceof RackError)) throw error
    return findingOf('api', error)
  }
}

function findingOf(check: string, { message, hint }: RackError): Finding {
  return { check, status: 'bad', detail: message, ...(hint !== undefined && { fix: hint }) }
}
