import { daemonScenarios } from './daemon-scenarios.ts'
import { machineScenarios } from './machine-scenarios.ts'
import type { Scenario } from './scenario.ts'

export const scenarios: Scenario[] = [...daemonScenarios, ...machineScenarios]
