import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, show, Where } from './errors';
import { checkConstruct, objectOf } from './kubernetes';
import { checkNamespace, checkServiceName } from './values';
import { isApiServer } from '../model/services';

/** A Service of our mesh, and the object that declares it. */
interface DeclaredService {
  readonly serviceName: string;
  readonly namespaceName: string;
  readonly object: ApiObject;
}

/** Checks the name of a Service that can be exported. */
export function checkLocalService(where: Where, serviceName: string, namespaceName: string): void {
  checkServiceName(where, serviceName);
  checkNamespace(where, namespaceName);
  if (!isApiServer(serviceName, namespaceName)) return;
  fail('FED320', where, `"${serviceName}.${namespaceName}" is the Service of the API server, which would give peers the cluster`, 'export a Service of an application');
}

/** Checks the construct of a Service. Without a namespace of its own, its host would depend on how it is applied. */
export function parseService(where: string, construct: IConstruct): DeclaredService {
  checkConstruct(where, construct);
  const object = objectOf(construct);
  if (object?.kind !== 'Service' || object.apiVersion !== 'v1') {
    fail('FED305', construct, object ? `it is of kind ${object.apiVersion} ${object.kind}, not a Service` : 'it is not a Kubernetes object',
      'use the construct of the Service that should be exported');
  }
  const { name: serviceName, metadata: { namespace: namespaceName } } = object;
  if (namespaceName === undefined) {
    fail('FED305', construct, `the Service ${show(serviceName)} has no namespace, and neither does its chart`,
      'set the namespace of the chart, for example new Chart(app, "bookinfo", { namespace: "default" })');
  }
  checkLocalService(construct, serviceName, namespaceName);
  return { serviceName, namespaceName, object };
}
