import type { EngineFeatures } from '../../src/domain/features.ts'

/** What a scenario of a contract can need: whatever an engine has wholly, or says that it has not. */
export type FeatureName = Exclude<
  keyof EngineFeatures,
  'name' | 'receiptCounts' | 'mostExecs' | 'managedServices'
>

/** The first that the engine has not. */
export function missingFeature(features: EngineFeatures, needs: FeatureName[]): FeatureName | undefined {
  return needs.find((name) => features[name] !== true)
}
