import * as sdk from '@aws-sdk/client-ecr'
import { connectDocker } from '../../../src/engines/docker/client.ts'
import { isNotFound } from '../../../src/engines/docker/errors.ts'
import { dropImage, findImage } from '../../../src/engines/docker/images/images.ts'
import { dockerSocket } from '../../../src/lib/docker-socket.ts'
import { AwsError, type FakeAccount, type FakeService } from '../fake-service.ts'
import type { Images } from '../links.ts'
import { assertModelled } from '../modelled.ts'
import { paged } from '../paging.ts'
import { createBook, type Book, type BookedImage } from '../registry/book.ts'
import { pullFrom, pushTo } from '../registry/docker-side.ts'
import { startRegistry, type AccountRegistry } from '../registry/start-registry.ts'

export interface Repositories {
  create(name: string): void
  /** With its images only when forced. */
  delete(name: string, options: { isForced: boolean }): void
  /** ARN and address of a repository of that name. */
  about(name: string): { arn: string; uri: string }
  /** Puts an image of this machine's Docker into a repository; gives the reference that a task definition names. */
  push(repository: string, local: string): Promise<string>
}

const always = { signal: new AbortController().signal, report: () => undefined }

/** In the words of a stopped task (D: "CannotPullContainer"). */
const notPulled = (reference: string) =>
  new AwsError(
    'CannotPullContainerError',
    `pull image manifest has been retried 1 time(s): failed to resolve ref ${reference}: ${reference}: not found`,
  )

/** S: pattern of a repository's name in the SDK's model. @throws AwsError */
function assertName(name: string): void {
  if (/^[a-z0-9]+([._/-][a-z0-9]+)*$/.test(name) && name.length >= 2 && name.length <= 256) return
  throw new AwsError('InvalidParameterException', `Invalid parameter at 'repositoryName': ${name}`)
}

class AccountImages implements Images, Repositories {
  readonly #account: FakeAccount
  readonly #docker = connectDocker({ socketPath: dockerSocket(process.env) })
  readonly book: Book
  /** Names that this machine's Docker has of images of the account. */
  readonly #pulled = new Set<string>()
  #started: Promise<AccountRegistry> | null = null

  constructor(account: FakeAccount) {
    this.#account = account
    this.book = createBook(() => account.clock.now())
  }

  /** Its program runs from the first who needs it. */
  async registry(): Promise<AccountRegistry> {
    this.#started ??= startRegistry(this.#account, this.book)
    return await this.#started
  }

  about(name: string): { arn: string; uri: string } {
    const { region, account } = this.#account
    return {
      arn: `arn:aws:ecr:${region}:${account}:repository/${name}`,
      uri: `${account}.dkr.ecr.${region}.amazonaws.com/${name}`,
    }
  }

  create(name: string): void {
    assertName(name)
    if (this.book.hasRepository(name)) {
      throw new AwsError(
        'RepositoryAlreadyExistsException',
        `The repository with name '${name}' already exists`,
      )
    }
    this.book.create(name)
  }

  delete(name: string, { isForced }: { isForced: boolean }): void {
    if (this.repository(name).size > 0 && !isForced) {
      throw new AwsError(
        'RepositoryNotEmptyException',
        `The repository with name '${name}' cannot be deleted because it still contains images`,
      )
    }
    this.book.delete(name)
  }

  repository(name: string | undefined): Map<string, BookedImage> {
    assertName(name ?? '')
    const found = this.book.imagesOf(name ?? '')
    if (!found) throw noRepository(name ?? '')
    return found
  }

  async push(repository: string, local: string): Promise<string> {
    this.repository(repository)
    return await pushTo(this.#docker, await this.registry(), { repository, local }, always)
  }

  /** References of the account's registry are pulled from it, as a task does; others are what this machine's Docker has. */
  async resolve(reference: string): Promise<string> {
    const registry = await this.registry()
    if (!reference.startsWith(`${registry.host}/`)) return await this.#local(reference)
    if (!this.#isThere(reference.slice(registry.host.length + 1))) throw notPulled(reference)
    this.#pulled.add(reference)
    const found = await findImage(this.#docker, reference, always)
    if (found) return found.Id
    const refusal = await pullFrom(this.#docker, registry, reference, always)
    if (refusal !== null) throw new AwsError('CannotPullContainerError', refusal)
    return await this.#local(reference)
  }

  #isThere(name: string): boolean {
    const [repository = '', digest = ''] = name.split('@')
    return this.book.digestOf(repository, digest) !== null
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

  async login(): Promise<sdk.GetAuthorizationTokenResponse> {
    const registry = await this.registry()
    const { username, password, expiresAt } = registry.login()
    return {
      authorizationData: [
        {
          authorizationToken: Buffer.from(`${username}:${password}`).toString('base64'),
          expiresAt,
          // AWS's own is `https://ACCOUNT.dkr.ecr.REGION.amazonaws.com` (D).
          proxyEndpoint: `http://${registry.host}`,
        },
      ],
    }
  }

  list(input: sdk.DescribeImagesRequest): sdk.DescribeImagesResponse {
    assertModelled(input, ['repositoryName', 'nextToken', 'maxResults'], 'DescribeImages')
    const found = [...this.repository(input.repositoryName).values()]
    const pageSize = Math.min(input.maxResults ?? 100, 20)
    const { page, next } = paged(found, input.nextToken, { pageSize, key: ({ digest }) => digest })
    const imageDetails = page.map(({ digest, pushedAt, tags }) => ({
      registryId: this.#account.account,
      repositoryName: input.repositoryName,
      imageDigest: digest,
      imagePushedAt: pushedAt,
      ...(tags.size > 0 && { imageTags: [...tags] }),
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

  /** Tasks are gone by now, and what was pulled for them goes too. */
  async close(): Promise<void> {
    for (const reference of this.#pulled) await dropImage(this.#docker, reference, always)
    await (await this.#started)?.[Symbol.asyncDispose]()
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
  registry: () => Promise<AccountRegistry>
} {
  const own = new AccountImages(account)
  const actions: FakeService['actions'] = {
    GetAuthorizationToken: async (input: sdk.GetAuthorizationTokenRequest) => {
      assertModelled(input, [], 'GetAuthorizationToken')
      return await own.login()
    },
    DescribeImages: async (input: sdk.DescribeImagesRequest) => own.list(input),
    BatchDeleteImage: async (input: sdk.BatchDeleteImageRequest) => own.forget(input),
  }
  const service = { scope: 'ecr', sdk, actions, close: async () => await own.close() }
  return { service, images: own, repositories: own, registry: () => own.registry() }
}
