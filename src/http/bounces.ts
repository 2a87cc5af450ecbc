/** The webhook for bounces: a mail provider's JSON, or a delivery status notification as it arrived. */

import type Router from "@koa/router";
import type { Context } from "koa";
import type { Clock } from "../clock.ts";
import type { Config } from "../config/schema.ts";
import { equalSecrets } from "../domain/secrets.ts";
import { LiaisonError } from "../errors.ts";
import { LARGEST_NOTIFICATION, parseNotification, parseWebhook } from "../mail/bounce.ts";
import { BodyTooLarge, readBody } from "../read-body.ts";
import type { OutboxStore } from "../storage/contract.ts";
import { responseTo } from "./error-responses.ts";

export interface BounceDeps {
  config: { mail: Pick<Config["mail"], "bounce_webhook_token"> };
  outbox: OutboxStore;
  clock: Clock;
}

/** Largest JSON that is read, in bytes. */
const largestJson = 65_536;

export function bounceRoutes(router: Router, { config, outbox, clock }: BounceDeps): void {
  const token = config.mail.bounce_webhook_token;
  if (token === null) return;

  router.post("/mail/bounces", async (ctx) => {
    const given = /^Bearer (\S+)$/i.exec(ctx.get("authorization"))?.[1];
    if (given === undefined || !equalSecrets(given, token)) {
      ctx.set("www-authenticate", 'Bearer realm="bounces"');
      return answer(ctx, 401, { error: "unauthorized" });
    }
    try {
      const bounce = ctx.is("message/rfc822")
        ? await parseNotification(await body(ctx, LARGEST_NOTIFICATION))
        : parseWebhook(parseJson(await body(ctx, largestJson)));
      const delivery = bounce && (await outbox.noteBounce(bounce.messageId, bounce, clock.now()));
      answer(ctx, 200, { noted: delivery !== undefined });
    } catch (error) {
      if (!(error instanceof LiaisonError) || error.code !== "bad_request") throw error;
      answer(ctx, responseTo(error).status, { error: error.code, detail: error.message });
    }
  });
}

function answer(ctx: Context, status: number, content: object): void {
  ctx.status = status;
  ctx.body = content;
}

/** Too much of it is answered like all that is no notification: it won't become one. */
async function body({ req }: Context, largest: number): Promise<Buffer> {
  return await readBody(req, largest, req.headers["content-length"]).catch((cause: unknown) => {
    if (!(cause instanceof BodyTooLarge)) throw cause;
    throw LiaisonError.badRequest(cause.message, cause);
  });
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch (cause) {
    throw LiaisonError.badRequest("The body is no JSON.", cause);
  }
}
