import { ApiObject } from 'cdk8s';
import { IConstruct } from 'constructs';
import { fail, show } from './checks/errors';
import { checkFields, fieldsOf } from './checks/kinds';
import { objectOf } from './checks/kubernetes';
import { checkNamespace, checkPort, checkServiceName } from './checks/values';
import type { Protocol } from './model/model';

/**
 * What stands behind an exported name:
 *
 *     service: LocalService.fromName('reviews', 'default'), ports: [ServicePort.http(9080)]
 *     service: LocalService.fromConstruct(bookinfoService), ports: [ServicePort.http(9080, { exportPort: 80 })]
 *     service: LocalService.fromName('orders', 'shop'), ports: [ServicePort.grpc(9000), ServicePort.tcp(3306), ServicePort.tls(8443)]
 */

/** Options of a port. */
export interface ServicePortOptions {
  /**
   * The number that peers see and that stays when the service moves.
   * @default - the port of the service
   */
  readonly exportPort?: number;
}

const PORT_FIELDS = fieldsOf<ServicePortOptions>({ exportPort: true });

/** A port of a service and what it speaks, so that rules can be checked against it. */
export class ServicePort {
  /**
   * HTTP/1.1 and WebSocket.
   *
   * Callers may speak HTTP/2 to their own sidecar, and the service sees HTTP/1.1. Throws FED120 for a field that does not exist, FED303 for a
   * number that is no port.
   *
   * @param port of the Kubernetes Service
   * @param options what peers see instead
   */
  public static http(port: number, options: ServicePortOptions = {}): ServicePort {
    return new ServicePort('http', port, options);
  }

  /**
   * gRPC, unary and streaming.
   *
   * HTTP/2 on every hop, so that trailers arrive. Throws FED120 for a field that does not exist, FED303 for a number that is no port.
   *
   * @param port of the Kubernetes Service
   * @param options what peers see instead
   */
  public static grpc(port: number, options: ServicePortOptions = {}): ServicePort {
    return new ServicePort('grpc', port, options);
  }

  /**
   * Any TCP protocol, whoever speaks first.
   *
   * The boundary knows who calls, and nothing of what is said. Throws FED120 for a field that does not exist, FED303 for a number that is no
   * port.
   *
   * @param port of the Kubernetes Service
   * @param options what peers see instead
   */
  public static tcp(port: number, options: ServicePortOptions = {}): ServicePort {
    return new ServicePort('tcp', port, options);
  }

  /**
   * The application's own TLS, carried as bytes.
   *
   * Inside the boundary's mutual TLS, with which its certificates have nothing to do. Callers must expect the name in the application's
   * certificate, not the local name. Throws FED120 for a field that does not exist, FED303 for a number that is no port.
   *
   * @param port of the Kubernetes Service
   * @param options what peers see instead
   */
  public static tls(port: number, options: ServicePortOptions = {}): ServicePort {
    return new ServicePort('tls', port, options);
  }

  /** Number of the port at the service. */
  public readonly port: number;
  /** Number that peers see. */
  public readonly exportPort: number;
  private readonly protocol: Protocol;

  private constructor(protocol: Protocol, port: number, options: ServicePortOptions) {
    checkPort(`ServicePort.${protocol}`, 'FED303', port, 'port of a service');
    checkFields(`ServicePort.${protocol}`, 'the second argument', options, PORT_FIELDS);
    this.protocol = protocol;
    this.port = port;
    this.exportPort = options.exportPort ?? port;
    checkPort(`ServicePort.${protocol}`, 'FED303', this.exportPort, 'exported port');
  }

  /** @internal */
  public get _protocol(): Protocol {
    return this.protocol;
  }
}

/** A port as the manifest of a Service states it. */
interface ManifestPort {
  readonly port: number;
  readonly protocol?: string;
}

/** A Kubernetes Service of our own mesh. */
export class LocalService {
  /**
   * By name. Neither existence nor ports can be checked.
   *
   * Throws FED111 for names that Kubernetes refuses.
   *
   * @param serviceName of the Kubernetes Service
   * @param namespaceName where it is
   */
  public static fromName(serviceName: string, namespaceName: string): LocalService {
    checkServiceName('LocalService.fromName', serviceName);
    checkNamespace('LocalService.fromName', namespaceName);
    return new LocalService(serviceName, namespaceName);
  }

  /**
   * From a cdk8s-plus `Service` of any version or any `ApiObject` of kind Service: exposed ports are checked against it.
   *
   * Its chart then belongs to the mesh that exposes it. Throws FED305 when it is no Service, or when neither it nor its chart states
   * a namespace.
   */
  public static fromConstruct(construct: IConstruct): LocalService {
    const service = objectOf(construct);
    if (service?.kind !== 'Service' || service.apiVersion !== 'v1') {
      fail('FED305', construct, service ? `its kind is ${service.apiVersion} ${service.kind}` : 'it is no Kubernetes object',
        'give the construct of the Service whose ports are to be exposed');
    }
    const namespaceName = service.metadata.namespace;
    if (namespaceName === undefined) {
      fail('FED305', construct, `the Service ${show(service.name)} states no namespace, and neither does its chart`,
        'give the chart a namespace, for example new Chart(app, "bookinfo", { namespace: "default" })');
    }
    checkServiceName(construct, service.name);
    checkNamespace(construct, namespaceName);
    return new LocalService(service.name, namespaceName, service);
  }

  /** Name of the Service. */
  public readonly serviceName: string;
  /** Namespace of the Service. */
  public readonly namespaceName: string;
  private readonly construct?: ApiObject;

  private constructor(serviceName: string, namespaceName: string, construct?: ApiObject) {
    this.serviceName = serviceName;
    this.namespaceName = namespaceName;
    this.construct = construct;
  }

  /**
   * The object that it was read from.
   * @internal
   */
  public get _object(): ApiObject | undefined {
    return this.construct;
  }

  /**
   * Labels by which the Service selects its pods, known once the program is complete.
   * @internal
   */
  public _selector(): { readonly [name: string]: string } | undefined {
    return this.construct?.toJson().spec?.selector;
  }

  /**
   * TCP ports of the Service, known once the program is complete: undefined when only the name is known.
   * @internal
   */
  public _tcpPorts(): number[] | undefined {
    const ports: ManifestPort[] | undefined = this.construct?.toJson().spec?.ports;
    return this.construct && (ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP').map(({ port }) => Number(port));
  }
}
