import { isFromSource } from '../../domain/binds.ts'
import { allowsVolume } from '../../domain/policy.ts'
import { shownPart } from '../syntax/tree.ts'
import type { Across } from './across.ts'

/** Gives mounts of external volumes the name that the engine has for them; each needs a word of the policy. */
export function nameExternalVolumes({ processes, externalVolumes, policy, problems }: Across): void {
  const used = new Set<string>()
  for (const { type } of processes) {
    type.mounts = type.mounts.map((mount) => {
      if (mount.kind !== 'volume' || isFromSource(mount)) return mount
      const external = externalVolumes.get(mount.volume)
      if (!external) return mount
      used.add(mount.volume)
      return { ...mount, external: external.name }
    })
  }
  for (const [key, { name, at }] of externalVolumes) {
    if (!used.has(key) || allowsVolume(policy, name)) continue
    // What a variable holds is not shown.
    const shown = shownPart(at, name) === JSON.stringify(name) ? name : 'NAME'
    problems.policy(
      at,
      `the volume ${shownPart(at, name)} is not the app's own, and the rack's policy does not let apps have it`,
      `allow it with \`rack policy set --allow-volume ${shown}\`, or for a new rack \`rack install --allow-volume ${shown}\`; ` +
        'or remove `external`, and the app gets one of its own, empty',
    )
  }
}
