// Reads {policy, requests: [{action, resource, context}]} and prints what IAM answers to each, as a list.
import { runSimulation } from '@cloud-copilot/iam-simulate'
import { text } from 'node:stream/consumers'

const accountId = '123456789012'
const all = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] }
const { policy, requests } = JSON.parse(await text(process.stdin))

const answers = []
for (const { action, resource, context } of requests) {
  const simulation = {
    request: {
      principal: `arn:aws:iam::${accountId}:role/etcd`,
      action,
      resource: { resource, accountId },
      contextVariables: context ?? {}
    },
    identityPolicies: [{ name: 'role', policy }],
    serviceControlPolicies: [{ orgIdentifier: 'root', policies: [{ name: 'all', policy: all }] }],
    resourceControlPolicies: []
  }
  const result = await runSimulation(simulation, {})
  if (result.resultType === 'error') {
    throw new Error(`${action} on ${resource}: ${JSON.stringify(result.errors)}`)
  }
  answers.push(result.overallResult)
}
console.log(JSON.stringify(answers))
