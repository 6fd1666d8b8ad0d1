// Takes a photo with the device's camera, in a dialog.

import { byId } from "./dom.js";
import { redrawn } from "./picture.js";

const WANTED = { width: { ideal: 1600 }, height: { ideal: 1200 } };

/**
 * Let somebody take a photo.
 *
 * @returns {Promise<Blob|null>} A JPEG; null if none was taken.
 */
export function takePhoto() {
  const dialog = byId("camera");
  const video = byId("camera-view");
  const told = byId("camera-told");
  const take = byId("camera-take");
  const turn = byId("camera-turn");
  let stream = null;
  let facing = "environment";
  let photo = null;

  const stop = () => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = null;
    video.srcObject = null;
  };
  const start = async () => {
    stop();
    take.disabled = true;
    told.textContent = "Waiting for the camera …";
    try {
      const opened = await navigator.mediaDevices.getUserMedia({
        video: { ...WANTED, facingMode: facing },
      });
      if (!dialog.open) {
        for (const track of opened.getTracks()) track.stop();
        return;
      }
      stream = opened;
      video.srcObject = stream;
      await video.play();
      const cameras = (await navigator.mediaDevices.enumerateDevices()).filter(
        (each) => each.kind === "videoinput",
      );
      turn.hidden = cameras.length < 2;
      told.textContent = "";
      take.disabled = false;
      take.focus();
    } catch (error) {
      told.textContent =
        error.name === "NotAllowedError"
          ? "The camera is not allowed here. Allow it in the browser's address bar, or choose a photo."
          : "There is no camera that can be used. Choose a photo instead.";
    }
  };

  return new Promise((resolve) => {
    const ending = new AbortController();
    const { signal } = ending;
    take.addEventListener(
      "click",
      async () => {
        photo = await redrawn(video, video.videoWidth, video.videoHeight);
        dialog.close();
      },
      { signal },
    );
    turn.addEventListener(
      "click",
      () => {
        facing = facing === "environment" ? "user" : "environment";
        start();
      },
      { signal },
    );
    byId("camera-close").addEventListener("click", () => dialog.close(), { signal });
    dialog.addEventListener(
      "close",
      () => {
        ending.abort();
        stop();
        resolve(photo);
      },
      { signal },
    );
    dialog.showModal();
    start();
  });
}
