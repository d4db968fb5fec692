import { ApiObject } from 'cdk8s';
import { Construct } from 'constructs';
import { emit } from './emit';
import { VirtualServiceSpecHttpMatchHeaders } from '../../imports/networking.istio.io';
import { RequestAuthentication, RequestAuthenticationSpec } from '../../imports/security.istio.io';
import { Issuer, BoundaryConfig, Token } from '../model/model';
import { issuerObjectName } from '../model/names';
import { patternOf } from '../model/patterns';

/*
 * Tokens of end users. A RequestAuthentication holds for all servers of a gateway, so it only says whose signatures are believed; who must
 * have which token stands with each grant, twice as all rules do: in the RBAC rules of its virtual host and in its routes (docs/adr/0023).
 */

const CLAIMS = 'request.auth.claims';

/** Whose tokens are believed. Without it no token is, and what demands one is closed. */
export function renderIssuer(scope: Construct, config: BoundaryConfig, { issuer, jwks, jwksUri }: Issuer): ApiObject {
  const named = { name: issuerObjectName('fed-in-jwt', issuer), namespace: config.ingress.namespaceName };
  return emit<RequestAuthenticationSpec>(scope, RequestAuthentication.GVK, named, () => ({
    selector: { matchLabels: config.ingress.selector },
    jwtRules: [{
      issuer,
      jwks,
      jwksUri,
      // Without a place Istio looks into the query too, and what stands in an address ends up in logs.
      fromHeaders: [{ name: 'Authorization', prefix: 'Bearer ' }],
      forwardOriginalToken: true,
    }],
  }));
}

/**
 * The token in the words of a route. The header itself is asked for too: Envoy finds a token behind any text and in any of several such
 * headers, and a backend may read another one than was checked.
 */
export function tokenMatches({ issuer, audiences, claims }: Token): { [name: string]: VirtualServiceSpecHttpMatchHeaders } {
  const all = [{ path: '[iss]', values: [issuer] }, { path: '[aud]', values: audiences }, ...claims];
  return {
    authorization: { regex: 'Bearer [A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+' },
    ...Object.fromEntries(all.map(({ path, values }) => [`@${CLAIMS}${path}`, oneOf(values)])),
  };
}

function oneOf(values: string[]): VirtualServiceSpecHttpMatchHeaders {
  return values.length === 1 ? { exact: values[0] } : { regex: patternOf(values) };
}
