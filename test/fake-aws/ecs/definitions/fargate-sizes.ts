import { clientError } from '../refusals.ts'

const gibibyte = 1024

/** CPU units and the MiB that go with them (D: task sizes of Fargate; cfn-lint's table says the same, V). */
const sizes: Record<number, number[]> = {
  256: [512, 1024, 2048],
  512: steps(1, 4, 1),
  1024: steps(2, 8, 1),
  2048: steps(4, 16, 1),
  4096: steps(8, 30, 1),
  8192: steps(16, 60, 4),
  16384: steps(32, 120, 8),
}

/** @throws AwsError ClientException (D) */
export function assertFargateSize(cpu: string | undefined, memory: string | undefined): void {
  if (cpu === undefined || memory === undefined) {
    throw clientError('Fargate requires task definition to have both cpu and memory at the task level.')
  }
  if (!/^\d+$/.test(cpu) || !/^\d+$/.test(memory) || !sizes[Number(cpu)]?.includes(Number(memory))) {
    throw clientError(
      `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. ` +
        'See the Amazon ECS documentation for the valid values.',
    )
  }
}

function steps(fromGibibytes: number, toGibibytes: number, by: number): number[] {
  const count = (toGibibytes - fromGibibytes) / by + 1
  return Array.from({ length: count }, (_, at) => (fromGibibytes + at * by) * gibibyte)
}
