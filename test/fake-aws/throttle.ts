import type { FakeClock } from './clock.ts'

/** A token bucket of AWS's: so many calls at once, and so many more each second of the account. */
export interface Allowance {
  burst: number
  perSecond: number
  /** `SCOPE:Action`, or `SCOPE:*`. The first allowance that names a call is the one it draws from. */
  calls: string[]
  /** What a refused call is told. */
  error: string
}

const ecs = 'ThrottlingException'

/** D: "Request throttling for the Amazon ECS API", "Quotas" of Route 53, Elastic Load Balancing, Secrets Manager; figures not found there are J. */
const allowances: Allowance[] = [
  { calls: ['route53:*'], burst: 5, perSecond: 5, error: 'ThrottlingException' },
  { calls: ['ecs:RunTask'], burst: 20, perSecond: 20, error: ecs },
  {
    calls: ['ecs:CreateService', 'ecs:DeleteService', 'ecs:UpdateService'],
    burst: 50,
    perSecond: 5,
    error: ecs,
  },
  {
    calls: ['ecs:RegisterTaskDefinition', 'ecs:DeregisterTaskDefinition', 'ecs:DeleteTaskDefinitions'],
    burst: 20,
    perSecond: 1,
    error: ecs,
  },
  {
    calls: ['ecs:DescribeServices', 'ecs:ListServices', 'ecs:ListTasks', 'ecs:DescribeTasks'],
    burst: 100,
    perSecond: 20,
    error: ecs,
  },
  { calls: ['elasticloadbalancing:*'], burst: 40, perSecond: 10, error: 'Throttling' },
  {
    calls: ['secretsmanager:CreateSecret', 'secretsmanager:DeleteSecret'],
    burst: 50,
    perSecond: 50,
    error: 'ThrottlingException',
  },
]

interface Bucket {
  tokens: number
  at: number
}

/** Draws one call; false when its bucket is empty. */
export function createThrottle(
  clock: FakeClock,
  rules: Allowance[] = allowances,
): (call: string) => Allowance | undefined {
  const buckets = new Map<Allowance, Bucket>()
  return (call) => {
    const scope = call.split(':')[0]!
    const rule = rules.find(({ calls }) => calls.includes(call) || calls.includes(`${scope}:*`))
    if (!rule) return undefined
    const now = clock.now()
    const last = buckets.get(rule) ?? { tokens: rule.burst, at: now }
    const tokens = Math.min(rule.burst, last.tokens + ((now - last.at) / 1000) * rule.perSecond)
    buckets.set(rule, { tokens: Math.max(0, tokens - 1), at: now })
    return tokens < 1 ? rule : undefined
  }
}
