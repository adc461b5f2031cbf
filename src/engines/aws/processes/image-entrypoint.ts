import type { Control } from '../../../domain/control.ts'
import type { AwsParts } from '../parts.ts'
import { notThere } from '../not-there.ts'

/** The argument vector of an image's ENTRYPOINT; none where it has none. */
export async function imageEntrypoint(_parts: AwsParts, image: string, _control: Control): Promise<string[]> {
  throw notThere(`join a terminal to a one-off of ${image}`, 'its ENTRYPOINT is not read yet')
}
