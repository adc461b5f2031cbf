import { wholeName } from '../../domain/image-name.ts'
import { childOf, shownPart } from '../syntax/tree.ts'
import type { Across } from './across.ts'

/** A name beside `build` stands for one image: who asks for it by the name alone has to know which. */
export function checkImageNames({ processes, problems }: Across): void {
  const builds = new Map<string, Set<string>>()
  for (const { type } of processes) {
    if (type.build === null || type.image === null) continue
    const name = wholeName(type.image)
    const ways = builds.get(name) ?? new Set()
    builds.set(name, ways.add(JSON.stringify(type.build)))
  }
  for (const { type, entry } of processes) {
    if (type.build !== null || type.image === null) continue
    if ((builds.get(wholeName(type.image))?.size ?? 0) < 2) continue
    const at = childOf(entry.value, 'image') ?? entry.value
    problems.error(
      at,
      `the image ${shownPart(at, type.image)} is built in several ways in this file`,
      'give each of them a name of its own',
    )
  }
}
