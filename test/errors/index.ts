/**
 * All rejections, by the noun whose calls they are of.
 */
import { errors as bind } from './bind';
import { errors as caller } from './caller';
import { errors as credential } from './credential';
import { errors as expose } from './expose';
import { errors as gateway } from './gateway';
import { errors as grant } from './grant';
import { errors as httpRule } from './http-rule';
import { errors as jwt } from './jwt';
import { errors as lock } from './lock';
import { errors as manifestWriter } from './manifest-writer';
import { errors as mesh } from './mesh';
import { errors as networkDestination } from './network-destination';
import { errors as peer } from './peer';
import { errors as remoteMesh } from './remote-mesh';
import { errors as restriction } from './restriction';
import { errors as service } from './service';
import { errors as toleration } from './toleration';
import { errors as trust } from './trust';
import { Rejection } from '../support/rejections';

export const REJECTIONS: { readonly [noun: string]: readonly Rejection[] } = {
  bind,
  caller,
  credential,
  expose,
  gateway,
  grant,
  'http-rule': httpRule,
  jwt,
  lock,
  'manifest-writer': manifestWriter,
  mesh,
  'network-destination': networkDestination,
  peer,
  'remote-mesh': remoteMesh,
  restriction,
  service,
  toleration,
  trust,
};
