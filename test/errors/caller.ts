import { App } from 'cdk8s';
import { Construct } from 'constructs';
import { Caller, LocalName } from '../../src';
import { show } from '../../src/checks/errors';
import { any, objectOf } from '../support/pair';
import { Rejection, rejectionsOf } from '../support/rejections';

/** What is rejected: callers and local names. */
export const errors: Rejection[] = [];
const serviceAccount = rejectionsOf(errors, 'Caller.serviceAccount');
const newService = rejectionsOf(errors, 'LocalName.newService');
const fromConstruct = rejectionsOf(errors, 'Caller.fromConstruct');

serviceAccount.rejects('FED111', 'a principal in place of an account name', () => Caller.serviceAccount('ns/default/sa/x', 'default'), '"ns/default/sa/x"');
fromConstruct.rejects('FED405', 'a workload without an account of its own', () => Caller.fromConstruct(objectOf('Deployment', 'default', { template: { spec: {} } })), '"till"', 'of its own');
fromConstruct.rejects('FED405', 'a ConfigMap in place of a workload', () => Caller.fromConstruct(objectOf('ConfigMap', 'default')), 'ConfigMap', 'ServiceAccount');
fromConstruct.rejects('FED405', 'a construct without an object', () => Caller.fromConstruct(new Construct(new App(), 'Nothing')), 'not a Kubernetes object');
fromConstruct.rejects('FED405', 'a workload without a namespace', () => Caller.fromConstruct(objectOf('Deployment', undefined, { template: { spec: { serviceAccountName: 'a' } } })), 'namespace');
fromConstruct.rejects('FED405', 'an object whose kind is the name of a method of JavaScript', () => Caller.fromConstruct(objectOf('toString', 'default')), 'toString');
for (const value of [undefined, {}, 5]) {
  fromConstruct.rejects('FED120', `${show(value)} in place of a construct`, () => Caller.fromConstruct(any(value)), 'Caller.fromConstruct', `not ${show(value)}`);
}
newService.rejects('FED111', 'a local name that begins with a digit', () => LocalName.newService('1st', 'default'), 'LocalName.newService', '"1st"');
for (const kind of ['CronJob', 'DaemonSet', 'Deployment', 'Job', 'Pod', 'ReplicaSet', 'StatefulSet']) {
  fromConstruct.rejects('FED405', `a ${kind} without a specification`, () => Caller.fromConstruct(objectOf(kind, 'default')), kind, '"default"');
}
