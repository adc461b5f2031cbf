/** Variables of a build that say where its orders are. */
export const bucketVariable = 'RACK_BUILD_BUCKET'
export const ordersVariable = 'RACK_BUILD_ORDERS'

/** Variable of the project that names the rack's own image, in which the program of builds is. */
export const imageVariable = 'RACK_BUILD_IMAGE'
/** The program, as the image is asked for it. */
export const buildProgram = 'build-in-account'

/** AWS's own image of CodeBuild, which brings Docker, its Engine and the command line of AWS (D). */
export const buildEnvironmentImage = 'aws/codebuild/standard:7.0'

/**
 * What the program finds in its environment; its credentials are the build's, by the address that CodeBuild gives.
 * @see https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-env-vars.html
 */
const passed = ['AWS_REGION', 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI', bucketVariable, ordersVariable]

/** Runs the rack's own program beside the Engine that it builds by, in the network in which its credentials are. */
const commands = [
  `aws ecr get-login-password | docker login --username AWS --password-stdin "\${${imageVariable}%%/*}"`,
  [
    'docker run --rm --network host --user 0 --volume /var/run/docker.sock:/var/run/docker.sock',
    ...passed.map((name) => `--env ${name}`),
    `"$${imageVariable}" ${buildProgram}`,
  ].join(' '),
]

/** What a build in the account runs (aws.md 1.8). */
export const buildspec = JSON.stringify({ version: '0.2', phases: { build: { commands } } })
