import { readFile } from 'node:fs/promises'
import type { Control } from '../../domain/control.ts'
import { applyMap } from '../apply-map.ts'
import type { RuntimeApi } from '../runtime-api.ts'
import { planShownChanges } from './shown-changes.ts'
import type { Shown } from './shown-certificates.ts'

/**
 * Brings the certificates of a running worker to those on disk, and then who is sent to https. No connection is touched:
 * those that are open keep what they began with. Safe to repeat.
 *
 * @throws host-failed when HAProxy refuses one
 */
export async function showCertificates(
  runtime: RuntimeApi,
  worker: number,
  shown: Shown,
  control: Control,
): Promise<void> {
  const { defaultPath, listPath, files } = shown
  const send = (command: string, expected: RegExp) => runtime.change(worker, command, expected, control)
  await applyMap({ runtime, worker }, shown.challengesPath, shown.challenges, control)
  const running = await runtime.certificates(worker, listPath, control)
  if (running.begun !== null) await send(`abort ssl cert ${running.begun}`, /^Transaction aborted/)
  const { load, add, remove, unload } = planShownChanges(files, running, defaultPath)
  for (const { path, isNew } of load) {
    const pem = (await readFile(path, 'utf8')).trim()
    if (isNew) await send(`new ssl cert ${path}`, /^New empty/)
    await send(`set ssl cert ${path} <<\n${pem}\n`, /^Transaction /)
    await send(`commit ssl cert ${path}`, /Success!$/)
  }
  for (const line of add) await send(`add ssl crt-list ${listPath} <<\n${line}\n`, /Success!$/)
  for (const entry of remove) await send(`del ssl crt-list ${listPath} ${entry}`, /^Entry .* deleted/)
  for (const path of unload) await send(`del ssl cert ${path}`, /^Certificate .* deleted/)
  await applyMap({ runtime, worker }, shown.redirectsPath, shown.redirects, control)
}
