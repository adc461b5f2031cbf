import { awsFeatures } from './aws-features.ts'
import { dockerFeatures } from './docker-features.ts'
import type { EngineFeatures } from './features.ts'

/** Of every engine. */
export const engineFeatures: EngineFeatures[] = [dockerFeatures, awsFeatures]

/** For which a file is read where nobody says for which. */
export const defaultEngine = dockerFeatures.name

export const engineNames = engineFeatures.map(({ name }) => name)

/** What to type to see what an engine makes of a file. */
export function checkCommand({ name }: EngineFeatures): string {
  return name === defaultEngine ? 'rack manifest check' : `rack manifest check --for ${name}`
}

/** The features of the engine of a name, or undefined. */
export function findFeatures(name: string): EngineFeatures | undefined {
  return engineFeatures.find((features) => features.name === name)
}
