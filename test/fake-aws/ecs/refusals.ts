import { AwsError } from '../fake-service.ts'

export function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterException', message)
}

/** As ECS says of task definitions and their like (D). */
export function clientError(message: string): AwsError {
  return new AwsError('ClientException', message)
}

/** What the engine does not send is not modelled, and refused: never ignored. */
export function assertOnly(value: object, known: readonly string[], where: string): void {
  for (const [member, given] of Object.entries(value)) {
    if (given === undefined || known.includes(member)) continue
    throw new AwsError('UnsupportedFeatureException', `the fake account has no ${where}.${member}`)
  }
}
