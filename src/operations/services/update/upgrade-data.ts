import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import type { Backup } from '../../../domain/backup.ts'
import type { Service, ServiceRun } from '../../../domain/service.ts'
import type { DataCare } from '../../../services/service-type.ts'
import { findServiceType } from '../../../services/service-types.ts'
import type { Context } from '../../context.ts'
import { say } from '../../say.ts'
import { backupOf } from '../backup/backups.ts'
import { namesIn, restoreService } from '../backup/dump-service.ts'
import { openBackup, removeBackup } from '../backup/kept-backups.ts'
import { createLoginsAgain } from '../logins.ts'
import { runInside } from '../run-inside.ts'
import { versionOf } from '../running-service.ts'
import { openStage, type Stage } from '../stage.ts'
import { stopService } from '../stop-service.ts'
import { switchRun } from '../switch-run.ts'

interface Upgrade {
  from: ServiceRun
  to: ServiceRun
  pauseMs: number
}

/**
 * Takes all data out of a service and puts it into a new volume, by a server of the new version. That is up before the
 * pause begins; then the service is stopped, so that all sessions end and nothing is written any more, and a server that no
 * app reaches reads the old volume. Both must count the same before the service is switched.
 * @throws timeout when the pause is over; service-failed
 */
export async function upgradeData(
  context: Context,
  service: Service,
  { from, to, pauseMs }: Upgrade,
  control: Control,
): Promise<{ pausedMs: number; backup: string }> {
  const { name } = service
  const { data } = findServiceType(service.type)!
  say(context, control, `starting ${to.image} beside ${name}, which serves meanwhile`)
  await using next = await openStage(context, service, to, control)
  const began = context.now().getTime()
  using pause = startPause(name, pauseMs)
  const own = { ...control, signal: AbortSignal.any([next.signal, pause.signal]) }
  say(context, own, `stopping ${name}: from now on nobody reaches it, for ${pauseMs / 1000} s at the most`)
  await stopService(context, service, from, own)
  const backup = await moveData(context, { service, from, data: data!, next }, own)
  try {
    await next.end()
    say(context, own, `starting ${name} as ${to.image}`)
    await switchRun(context, service, { from, to }, { ...own, signal: eitherOf(control, pause) })
  } catch (error) {
    await removeBackup(context, backup)
    throw error
  }
  return { pausedMs: context.now().getTime() - began, backup: backup.id }
}

/** A stage that was ended as it should be has no say any more. */
function eitherOf(control: Control, pause: { signal: AbortSignal }): AbortSignal {
  return AbortSignal.any([control.signal, pause.signal])
}

function startPause(name: string, pauseMs: number): { signal: AbortSignal } & Disposable {
  const pause = new AbortController()
  const error = new RackError(
    'timeout',
    `${name} is not upgraded within ${pauseMs / 1000} s; it is as it was`,
    {
      hint: `Let nobody reach it for longer: rack services update ${name} --version VERSION --pause 10m`,
    },
  )
  const timer = setTimeout(() => pause.abort(error), pauseMs)
  return { signal: pause.signal, [Symbol.dispose]: () => clearTimeout(timer) }
}

interface Moving {
  service: Service
  from: ServiceRun
  data: DataCare
  next: Stage
}

/** By way of a backup, which is kept. */
async function moveData(
  context: Context,
  { service, from, data, next }: Moving,
  control: Control,
): Promise<Backup> {
  const { engine } = context
  await using old = await openStage(context, service, from, control)
  const own = { ...control, signal: old.signal }
  say(context, own, `taking its data out`)
  const version = versionOf(from.image)
  const backup = await backupOf(context, { service, version, copy: old.copy, data }, 'upgrade', own)
  try {
    say(context, own, `putting ${backup.id} into the new volume`)
    const place = () => ({ engine, copy: next.copy, data })
    await restoreService(place(), openBackup(context, backup), own)
    if (data.restartsAfterRestore) await next.restart()
    await compare(context, [{ ...place(), copy: old.copy }, place()], own)
    await createLoginsAgain(context, service, next.copy, own)
    await old.end()
    return backup
  } catch (error) {
    await removeBackup(context, backup)
    throw error
  }
}

type Place = Parameters<typeof namesIn>[0]

/** @throws service-failed where something is missing */
async function compare(context: Context, places: [Place, Place], control: Control): Promise<void> {
  const [before, after] = await Promise.all(
    places.map(async (place) => {
      const counts = place.data.counts?.(await namesIn(place, control))
      return counts ? await runInside(place.engine, place.copy, { inside: counts }, control) : null
    }),
  )
  if (before === null)
    return say(context, control, 'what is there cannot be counted in a service of this type')
  if (before !== after) {
    const there = new Set(after!.split('\n'))
    const missing = before!.split('\n').filter((line) => !there.has(line))
    throw new RackError(
      'service-failed',
      `what was put back is not what was there: ${missing.slice(0, 5).join(', ')}`,
    )
  }
  say(context, control, `${before!.split('\n').filter((line) => line !== '').length} counts are the same`)
}
