import type { BuiltImage } from '../../../domain/build.ts'
import { readImageConfig, type ImageConfig } from '../../../domain/image-config.ts'
import { splitReference, wholeName } from '../../../domain/image-name.ts'

/** What is read of Docker's answer about an image. */
export interface ImageInspect {
  Id: string
  RepoTags: string[] | null
  RepoDigests?: string[] | null
  Config: ImageConfig | null
}

/** An image with the part of its configuration that a plan or an engine reads. */
export function readImage({ Id, Config }: ImageInspect): BuiltImage {
  return { reference: Id, digest: Id, ...readImageConfig(Config) }
}

/** By which name its registry gives the same image again; none for an image that no registry knows. */
export function originOf({ RepoDigests }: ImageInspect, name: string): Pick<BuiltImage, 'pulled'> {
  const { repository } = splitReference(wholeName(name))
  const pulled = (RepoDigests ?? []).find((known) => splitReference(known).repository === repository)
  return pulled === undefined ? {} : { pulled }
}
