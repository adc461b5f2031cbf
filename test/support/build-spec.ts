import { plainBuild, type BuildSpec } from '../../src/domain/manifest.ts'

/** The build of a Dockerfile at the root of the source; tests name what they are about. */
export function buildSpec(overrides: Partial<BuildSpec> = {}): BuildSpec {
  return { ...plainBuild, ...overrides }
}
