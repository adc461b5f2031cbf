import type { Environment } from '../domain/environment.ts'
import { splitReference, wholeName } from '../domain/image-name.ts'
import { serviceTypes } from './service-types.ts'

/**
 * The `LINK_*` that a process of a known image does not say, since all know it: `postgres:15` with a `POSTGRES_PASSWORD` is
 * logged in to by that. Empty for an image of no type.
 */
export function ownLink(image: string, variables: Environment): Environment {
  const name = repositoryOf(image)
  const known = serviceTypes.filter(({ versions }) => versions.usual !== '')
  const type = known.find((each) => repositoryOf(each.image(each.versions.usual)) === name)
  if (!type) return {}
  const { path, username, password } = type.ownLogin(variables)
  return {
    LINK_SCHEME: type.scheme,
    LINK_PATH: path,
    LINK_USERNAME: username,
    LINK_PASSWORD: password,
  }
}

function repositoryOf(image: string): string {
  return splitReference(wholeName(image)).repository
}
