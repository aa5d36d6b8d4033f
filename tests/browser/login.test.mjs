// The login, where the settings name a token, and what a page of somebody else can do with the cookie: nothing.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { assertFits, findings, kShapes, launch, openPage } from './browser.mjs';
import { kToken, Site } from './site.mjs';

const site = new Site();
site.token = kToken;
let browser = null;

before(async () => {
  await site.start({ token: kToken });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await site.stop();
});

async function logIn(page, token) {
  await page.getByLabel('Token').fill(token);
  await page.getByRole('button', { name: 'Log in' }).click();
}

test('the login lets in who has the token, and nobody else', async () => {
  for (const shape of ['light', 'dark', 'phone']) {
    const page = await openPage(browser, site.url, kShapes[shape]);
    await page.goto(`${site.url}/#/rules`);
    await page.getByRole('heading', { name: 'Log in' }).waitFor();
    assert.deepEqual(await findings(page), []);
    await assertFits(page, `login, ${shape}`);
    await page.screenshot({ path: `login-${shape}.png` });
    await logIn(page, 'wrong');
    await page.getByText('this token is wrong').waitFor();
    await logIn(page, kToken);
    await page.getByRole('heading', { name: 'Rules', level: 1 }).waitFor();
    assert.deepEqual(page.wrongs, []);
    await page.context().close();
  }
});

test('the cookie is out of reach for scripts and other sites, and ends with the logout', async () => {
  const page = await openPage(browser, site.url);
  await page.goto(site.url);
  await logIn(page, kToken);
  await page.getByRole('heading', { name: 'Now', level: 1 }).waitFor();
  const [cookie] = await page.context().cookies();
  assert.deepEqual([cookie.name, cookie.httpOnly, cookie.sameSite, cookie.path], ['cam_session', true, 'Strict', '/']);
  assert.equal(await page.evaluate(() => document.cookie), '');
  assert.equal(await page.evaluate(() => JSON.stringify({ ...localStorage })), '{}');
  await page.getByRole('button', { name: 'Log out' }).click();
  await page.getByRole('heading', { name: 'Log in' }).waitFor();
  const answer = await fetch(`${site.url}/rules`, { headers: { Cookie: `cam_session=${cookie.value}` } });
  assert.equal(answer.status, 401, 'the session is dead in the daemon too');
  await page.context().close();
});

test('a write by cookie needs the token that only this page can read', async () => {
  const page = await openPage(browser, site.url);
  await page.goto(site.url);
  await logIn(page, kToken);
  await page.getByRole('switch', { name: 'My prefixes only' }).waitFor();
  const write = (headers) =>
    page.evaluate(async (more) => (await fetch('/preferences', { method: 'PUT', body: '{"my_prefixes_only": false}', headers: more })).status, headers);
  assert.equal(await write({}), 403);
  assert.equal(await write({ 'X-CSRF-Token': 'guessed' }), 403);
  assert.equal(site.preference(), true);
  await page.getByRole('switch', { name: 'My prefixes only' }).click();
  await page.getByRole('button', { name: 'Tell both' }).click();
  await page.waitForFunction(() => document.querySelector('#scope-switch')?.getAttribute('aria-checked') === 'false');
  assert.equal(site.preference(), false);
  await page.context().close();
});
