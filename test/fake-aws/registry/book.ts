import type { RepositoryBook } from './start-registry.ts'

export interface BookedImage {
  digest: string
  pushedAt: Date
  tags: Set<string>
}

/** The repositories of the account, and which images lie in each. */
export interface Book extends RepositoryBook {
  create(repository: string): void
  delete(repository: string): void
  /** Null where there is no such repository. */
  imagesOf(repository: string): Map<string, BookedImage> | null
}

export function createBook(now: () => number): Book {
  const repositories = new Map<string, Map<string, BookedImage>>()
  const ofTag = (repository: string, tag: string) =>
    [...(repositories.get(repository)?.values() ?? [])].find(({ tags }) => tags.has(tag))
  return {
    create: (repository) => void repositories.set(repository, new Map()),
    delete: (repository) => void repositories.delete(repository),
    imagesOf: (repository) => repositories.get(repository) ?? null,
    hasRepository: (repository) => repositories.has(repository),
    digestOf(repository, reference) {
      if (!reference.startsWith('sha256:')) return ofTag(repository, reference)?.digest ?? null
      return repositories.get(repository)?.get(reference)?.digest ?? null
    },
    pushed(repository, { digest, tag }) {
      const images = repositories.get(repository)
      const image = images?.get(digest) ?? { digest, pushedAt: new Date(now()), tags: new Set<string>() }
      images?.set(digest, image)
      if (tag === null) return
      ofTag(repository, tag)?.tags.delete(tag)
      image.tags.add(tag)
    },
  }
}
