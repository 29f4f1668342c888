// A film for Chromium's make-believe camera (--use-file-for-fake-video-capture): one picture, standing still.
import { writeFileSync } from "node:fs";

export const [FILM_WIDTH, FILM_HEIGHT] = [1280, 720];

/** Writes a film (YUV4MPEG2) of a PNG in the middle of a white sheet; the browser reads the picture. */
export async function film(browser, png, file) {
  const page = await browser.newPage();
  const luma = await page.evaluate(async ([data, width, height]) => {
    const picture = new Image();
    picture.src = `data:image/png;base64,${data}`;
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    const draw = canvas.getContext("2d");
    draw.fillStyle = "#fff";
    draw.fillRect(0, 0, width, height);
    const side = height - 20;
    draw.imageSmoothingEnabled = false;
    draw.drawImage(picture, (width - side) / 2, 10, side, side);
    const { data: rgba } = draw.getImageData(0, 0, width, height);
    let out = "";
    for (let at = 0; at < rgba.length; at += 4) out += String.fromCharCode(Math.round(0.299 * rgba[at] + 0.587 * rgba[at + 1] + 0.114 * rgba[at + 2]));
    return btoa(out);
  }, [png.toString("base64"), FILM_WIDTH, FILM_HEIGHT]);
  await page.close();
  const grey = Buffer.alloc((FILM_WIDTH * FILM_HEIGHT) / 2, 128);
  const frame = Buffer.concat([Buffer.from("FRAME\n"), Buffer.from(luma, "base64"), grey]);
  writeFileSync(file, Buffer.concat([Buffer.from(`YUV4MPEG2 W${FILM_WIDTH} H${FILM_HEIGHT} F10:1 Ip A1:1 C420\n`), frame, frame]));
}
