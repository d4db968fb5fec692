import { GrowingList } from '../src/boundary/growing-list';

/*
 * A list whose readers receive every item once, whenever they begin to read. Grants, routes and callers use it.
 */

test('a reader receives the items that are there, and each later one once', () => {
  const list = new GrowingList<string>();
  const read: string[] = [];
  list.add('a');
  list.forEachNowAndLater((item) => read.push(item));
  list.add('b');
  expect(read).toEqual(['a', 'b']);
});

test('a list without a comparison has the order in which items were added', () => {
  const list = new GrowingList<string>();
  for (const item of ['b', 'a', 'c']) list.add(item);
  expect(list.all).toEqual(['b', 'a', 'c']);
});

test('a list with a comparison is sorted before a reader sees it', () => {
  const list = new GrowingList<number>((a, b) => a - b);
  const seen: number[][] = [];
  list.forEachNowAndLater(() => seen.push([...list.all]));
  for (const item of [10, 9, 100]) list.add(item);
  expect(seen).toEqual([[10], [9, 10], [9, 10, 100]]);
});

test('an item that a reader adds reaches every reader once', () => {
  const list = new GrowingList<number>();
  const first: number[] = [];
  const second: number[] = [];
  list.forEachNowAndLater((item) => {
    first.push(item);
    if (item < 3) list.add(item + 1);
  });
  list.forEachNowAndLater((item) => second.push(item));
  list.add(1);
  expect([first, second]).toEqual([[1, 2, 3], [3, 2, 1]]);
});

test('a reader that comes while another one reads does not receive an item twice', () => {
  const list = new GrowingList<number>();
  const late: number[] = [];
  list.forEachNowAndLater((item) => {
    if (item === 1) list.forEachNowAndLater((later) => late.push(later));
  });
  list.add(1);
  list.add(2);
  expect(late).toEqual([1, 2]);
});
