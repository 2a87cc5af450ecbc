/** The settings of a client app for terminals: everything in one block, or the files of a recipe. */

import { printable } from "../output.ts";

/** What is printed of them. */
interface Settings {
  text: string;
  recipes: readonly Recipe[];
}

interface Recipe {
  name: string;
  title: string;
  needs: { setting: string; value: string; why: string }[];
  files: { file: string; text: string }[];
}

/**
 * What `clients settings` prints, and `clients create` and `clients rotate` below what they made.
 * @param recipe the one that was asked for; without one all settings are printed
 */
export function settingsText({ text, recipes }: Settings, recipe: string | undefined): string {
  if (recipe !== undefined) return recipes.map(recipeText).join("\n");
  const names = recipes.map(({ name }) => name).join(", ");
  const others = names === "" ? "" : `\n# Recipes, by --for NAME: ${names}. Claims and all of it: --json.\n`;
  return `${block(text)}${others}`;
}

function recipeText({ title, needs, files }: Recipe): string {
  const lacking = needs.map(
    ({ setting, value, why }) =>
      `# ${title} needs ${setting}: ${value} (${why}). The client app isn't registered so yet.`,
  );
  const written = files.map(({ file, text }) => `# --- ${file}\n${block(text)}`);
  return [...lacking.map((line) => `${printable(line)}\n`), written.join("\n")].join("");
}

/** Lines as they are, but what could move a cursor. */
function block(text: string): string {
  return `${text.trimEnd().split("\n").map(printable).join("\n")}\n`;
}
