import { createHash } from 'node:crypto'
import * as sdk from '@aws-sdk/client-ecr'
import { connectDocker } from '../../../src/engines/docker/client.ts'
import { isNotFound } from '../../../src/engines/docker/errors.ts'
import { dockerSocket } from '../../../src/lib/docker-socket.ts'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import type { Images } from '../links.ts'
import { assertModelled } from '../modelled.ts'
import { paged } from '../paging.ts'

interface PushedImage {
  digest: string
  /** Of this machine's Docker. */
  id: string
  pushedAt: Date
}

export interface Repositories {
  create(name: string): void
  /** With its images only when forced. */
  delete(name: string, options: { isForced: boolean }): void
  /** ARN and address of a repository of that name. */
  about(name: string): { arn: string; uri: string }
  /** Puts an image of this machine's Docker into a repository; gives the reference that a task definition names. */
  push(repository: string, local: string): Promise<string>
}

const always = { signal: new AbortController().signal }

/** In the words of a stopped task (D: "CannotPullContainer"). */
const notPulled = (reference: string) =>
  new AwsError(
    'CannotPullContainerError',
    `pull image manifest has been retried 1 time(s): failed to resolve ref ${reference}: ${reference}: not found`,
  )

class Registry implements Images, Repositories {
  readonly #account: FakeAccount
  readonly #docker = connectDocker({ socketPath: dockerSocket(process.env) })
  readonly #repositories = new Map<string, Map<string, PushedImage>>()

  constructor(account: FakeAccount) {
    this.#account = account
  }

  about(name: string): { arn: string; uri: string } {
    const { region, account } = this.#account
    return {
      arn: `arn:aws:ecr:${region}:${account}:repository/${name}`,
      uri: `${account}.dkr.ecr.${region}.amazonaws.com/${name}`,
    }
  }

  create(name: string): void {
    // S: pattern of a repository's name in the SDK's model.
    if (!/^[a-z0-9]+([._/-][a-z0-9]+)*$/.test(name) || name.length < 2 || name.length > 256) {
      throw new AwsError('InvalidParameterException', `Invalid parameter at 'repositoryName': ${name}`)
    }
    if (this.#repositories.has(name)) {
      throw new AwsError(
        'RepositoryAlreadyExistsException',
        `The repository with name '${name}' already exists`,
      )
    }
    this.#repositories.set(name, new Map())
  }

  delete(name: string, { isForced }: { isForced: boolean }): void {
    if (this.repository(name).size > 0 && !isForced) {
      throw new AwsError(
        'RepositoryNotEmptyException',
        `The repository with name '${name}' cannot be deleted because it still contains images`,
      )
    }
    this.#repositories.delete(name)
  }

  repository(name: string | undefined): Map<string, PushedImage> {
    const found = this.#repositories.get(name ?? '')
    if (!found) throw noRepository(name ?? '')
    return found
  }

  async push(repository: string, local: string): Promise<string> {
    const id = await this.#local(local)
    const digest = `sha256:${createHash('sha256').update(`manifest of ${id}`).digest('hex')}`
    this.repository(repository).set(digest, { digest, id, pushedAt: new Date(this.#account.clock.now()) })
    return `${this.about(repository).uri}@${digest}`
  }

  /** References of the account's registry by what was pushed; others by what this machine's Docker has. */
  async resolve(reference: string): Promise<string> {
    const { uri } = this.about('')
    if (!reference.startsWith(uri)) return await this.#local(reference)
    const [name, digest] = reference.slice(uri.length).split('@')
    const image = this.#repositories.get(name!)?.get(digest ?? '')
    if (!image) throw notPulled(reference)
    return image.id
  }

  async #local(reference: string): Promise<string> {
    try {
      const path = `/images/${encodeURIComponent(reference)}/json`
      return (await this.#docker.json<{ Id: string }>({ path }, always)).Id
    } catch (error) {
      if (isNotFound(error)) throw notPulled(reference)
      throw error
    }
  }

  list(input: sdk.DescribeImagesRequest): sdk.DescribeImagesResponse {
    assertModelled(input, ['repositoryName', 'nextToken', 'maxResults'], 'DescribeImages')
    const found = [...this.repository(input.repositoryName).values()]
    const pageSize = Math.min(input.maxResults ?? 100, 20)
    const { page, next } = paged(found, input.nextToken, { pageSize, key: ({ digest }) => digest })
    const imageDetails = page.map(({ digest, pushedAt }) => ({
      registryId: this.#account.account,
      repositoryName: input.repositoryName,
      imageDigest: digest,
      imagePushedAt: pushedAt,
    }))
    return { imageDetails, ...(next && { nextToken: next }) }
  }

  /** What is not there is told as a failure of its own, and the rest is deleted (D: BatchDeleteImage). */
  forget({ repositoryName, imageIds = [] }: sdk.BatchDeleteImageRequest): sdk.BatchDeleteImageResponse {
    const images = this.repository(repositoryName)
    if (imageIds.length > 100) throw new AwsError('InvalidParameterException', 'at most 100 images a call')
    const isThere = imageIds.map(({ imageDigest }) => images.delete(imageDigest ?? ''))
    return {
      imageIds: imageIds.filter((_, at) => isThere[at]),
      failures: imageIds
        .filter((_, at) => !isThere[at])
        .map((imageId) => ({
          imageId,
          failureCode: 'ImageNotFound',
          failureReason: 'Requested image not found',
        })),
    }
  }
}

const noRepository = (name: string) =>
  new AwsError(
    'RepositoryNotFoundException',
    `The repository with name '${name}' does not exist in the registry`,
  )

export function createImages(account: FakeAccount): {
  service: FakeService
  images: Images
  repositories: Repositories
} {
  const registry = new Registry(account)
  const actions: FakeService['actions'] = {
    DescribeImages: async (input: sdk.DescribeImagesRequest) => registry.list(input),
    BatchDeleteImage: async (input: sdk.BatchDeleteImageRequest) => registry.forget(input),
  }
  return { service: { scope: 'ecr', sdk, actions }, images: registry, repositories: registry }
}
