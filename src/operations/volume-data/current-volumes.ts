import type { Objects } from '../../domain/objects.ts'
import { RackError } from '../../domain/error.ts'

/** Where it is kept what stands for an app's volumes: an object for each into which something was put back. */
export interface KeptVolumes {
  objects: Objects
}

/** What the engine has for one volume of an app: `data`, or `data.2` once something was put back. */
export interface StandIn {
  /** What processes mount. */
  current: string
  /** What was mounted, or was to be: they hold nothing that is wanted, and go. */
  others: string[]
}

const prefix = 'volumes/'

/** Those of an app, by the names that its file gives them; a volume that is not here stands for itself. */
export async function readStandIns({ objects }: KeptVolumes, app: string): Promise<Map<string, StandIn>> {
  const found = new Map<string, StandIn>()
  for await (const { key } of objects.list(`${prefix}${app}/`)) {
    const text = Buffer.concat(await Array.fromAsync(objects.get(key))).toString()
    found.set(key.split('/')[2]!, JSON.parse(text) as StandIn)
  }
  return found
}

export async function standInOf(kept: KeptVolumes, app: string, name: string): Promise<StandIn> {
  return (await readStandIns(kept, app)).get(name) ?? { current: name, others: [] }
}

/** Settles when it is durable. Safe to repeat. */
export async function keepStandIn(
  { objects }: KeptVolumes,
  { app, name }: { app: string; name: string },
  standIn: StandIn,
): Promise<void> {
  const key = `${prefix}${app}/${name}`
  if (standIn.current === name && standIn.others.length === 0) return await objects.remove(key)
  const control = { signal: AbortSignal.timeout(30_000), report: () => undefined }
  await objects.put(key, textOf(standIn), control)
}

/** Makes other volumes the current ones, by the names of the file. Safe to repeat. */
export async function switchVolumes(
  kept: KeptVolumes,
  app: string,
  next: Record<string, string>,
): Promise<void> {
  for (const [name, current] of Object.entries(next)) {
    const before = await standInOf(kept, app, name)
    if (before.current === current) continue
    const others = [...before.others.filter((other) => other !== current), before.current]
    await keepStandIn(kept, { app, name }, { current, others })
  }
}

/** Of an app whose volumes are gone. Safe to repeat. */
export async function forgetStandIns({ objects }: KeptVolumes, app: string): Promise<void> {
  for await (const { key } of objects.list(`${prefix}${app}/`)) await objects.remove(key)
}

/** Apps of which something stands in, those too that are no more. */
export async function appsWithStandIns({ objects }: KeptVolumes): Promise<string[]> {
  const apps = await Array.fromAsync(objects.list(prefix), ({ key }) => key.split('/')[1]!)
  return [...new Set(apps)]
}

/** @throws invalid for what no file can call a volume */
export function checkVolumeName(name: string): void {
  if (/^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$/.test(name)) return
  throw new RackError('invalid', `"${name}" cannot be the name of a volume`, {
    hint: 'Name it as the compose file does: APP/VOLUME',
  })
}

async function* textOf(standIn: StandIn): AsyncGenerator<Uint8Array> {
  yield Buffer.from(JSON.stringify(standIn))
}
