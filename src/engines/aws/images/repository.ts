import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { ensureApp } from '../deploy/app-places.ts'
import { readOwnerWord, repositoryName } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/** A repository is made with the stack of its app, which the first image of the app makes. */
export async function ensureRepository(
  parts: AwsParts,
  repository: string,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  try {
    const input = { repositoryName: repository }
    await parts.clients.images.describeImages(input, { abortSignal: control.signal })
  } catch (error) {
    if (!isAwsError(error, 'RepositoryNotFoundException')) throw error
    const owner = readOwnerWord(repository.slice(repository.lastIndexOf('/') + 1))
    if (repositoryName(parts.rack, owner) !== repository)
      throw new RackError('invalid', `${repository} is a repository of another rack`)
    await ensureApp(parts, { owner, accessPoints: [] }, control)
  }
}
