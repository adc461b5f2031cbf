import { isRepositoryPart } from '../../../domain/aws-places.ts'
import type { Control } from '../../../domain/control.ts'
import { RackError } from '../../../domain/error.ts'
import { isAwsError } from '../../../aws/errors.ts'
import { ensureApp } from '../deploy/app-places.ts'
import { readOwnerWord, repositoryName } from '../names.ts'
import type { AwsParts } from '../parts.ts'

/**
 * A repository is made with the stack of its app, which the first image of the app makes.
 * @throws invalid for a name that ECR does not take
 */
export async function ensureRepository(
  parts: AwsParts,
  repository: string,
  control: Pick<Control, 'signal'>,
): Promise<void> {
  const word = repository.slice(repository.lastIndexOf('/') + 1)
  const owner = readOwnerWord(word)
  if (!isRepositoryPart(word)) {
    const kind = owner.kind === 'app' ? 'an app' : 'a service'
    throw new RackError('invalid', `${kind} cannot be called "${owner.name}" in an AWS account`, {
      hint: `There dashes stand alone, and none at the end. Choose another name: ${owner.kind === 'app' ? '--app' : '--name'} NAME`,
    })
  }
  try {
    const input = { repositoryName: repository }
    await parts.clients.images.describeImages(input, { abortSignal: control.signal })
  } catch (error) {
    if (!isAwsError(error, 'RepositoryNotFoundException')) throw error
    if (repositoryName(parts.rack, owner) !== repository)
      throw new RackError('invalid', `${repository} is a repository of another rack`)
    await ensureApp(parts, { owner, accessPoints: [] }, control)
  }
}
