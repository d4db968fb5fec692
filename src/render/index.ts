/*
 * Functions that turn plain data into objects of Kubernetes and Istio. No other folder creates such objects.
 */
export * from './admission';
export * from './local-name';
export * from './authorization';
export * from './autoscaler';
export { renderCredential } from './credential';
export * from './edge';
export * from './egress';
export * from './filters';
export * from './ingress';
export * from './jwt';
export * from './lock';
export * from './network';
export * from './phases';
export * from './restriction';
export * from './trust';
export * from './workload';
export { annotate, annotateLater } from './emit';
export * from './kept';
