import { networkInterfaces } from 'node:os'
import { readSettings, type AccountSettings } from './settings.ts'

/** What the environment chooses. @throws with every problem of it, a line each */
export function settingsHere(random = ''): AccountSettings {
  const addresses = Object.values(networkInterfaces()).flatMap((all = []) =>
    all.flatMap(({ family, internal, address }) => (family === 'IPv4' && !internal ? [address] : [])),
  )
  const { settings, problems } = readSettings(process.env, { addresses, random })
  if (!settings) throw new Error(problems.join('\n'))
  return settings
}
