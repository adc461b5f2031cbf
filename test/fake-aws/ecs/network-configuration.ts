import type { CapacityProviderStrategyItem, NetworkConfiguration } from '@aws-sdk/client-ecs'
import { assertOnly, invalid } from './refusals.ts'

/** @throws AwsError InvalidParameterException: what `awsvpc` tasks need (D), and no launch type (our own assertion, aws.md 5.2) */
export function checkPlace(request: {
  networkConfiguration?: NetworkConfiguration | undefined
  capacityProviderStrategy?: CapacityProviderStrategyItem[] | undefined
  launchType?: string | undefined
  platformVersion?: string | undefined
}): void {
  if (request.launchType !== undefined) {
    throw invalid(
      'our own assertion: capacityProviderStrategy, and never launchType, since its change replaces',
    )
  }
  const strategy = request.capacityProviderStrategy ?? []
  if (strategy.length === 0) throw invalid('our own assertion: a capacityProviderStrategy is given')
  for (const { capacityProvider, weight = 0, base = 0 } of strategy) {
    if (capacityProvider !== 'FARGATE' && capacityProvider !== 'FARGATE_SPOT') {
      throw invalid(
        `The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster: ${capacityProvider}`,
      )
    }
    if (weight < 0 || weight > 1000 || base < 0 || base > 100_000) throw invalid('Invalid weight or base.')
  }
  if (strategy.every(({ weight = 0 }) => weight === 0)) {
    // D: otherwise nothing could be placed.
    throw invalid('At least one capacity provider of a strategy must have a weight greater than zero.')
  }
  const place = request.networkConfiguration?.awsvpcConfiguration
  if (!place) throw invalid('Network Configuration must be provided when networkMode ‘awsvpc’ is specified.')
  assertOnly(place, ['subnets', 'securityGroups', 'assignPublicIp'], 'AwsVpcConfiguration')
  const { subnets = [], securityGroups = [], assignPublicIp = 'DISABLED' } = place
  if (subnets.length < 1 || subnets.length > 16) throw invalid('subnets can not be empty, nor more than 16.')
  if (securityGroups.length > 5) throw invalid('At most 5 security groups can be given.')
  if (assignPublicIp !== 'ENABLED' && assignPublicIp !== 'DISABLED') throw invalid('Invalid assignPublicIp.')
}
