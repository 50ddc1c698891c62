// Plays an output on the job page. hls.js is loaded with the first HLS output that is played, and
// when something cannot be played, says why.
(() => {
  const { hls: HLS_SCRIPT, worker: HLS_WORKER } = document.currentScript.dataset;
  let loading;
  let current;

  const loadHls = () =>
    (loading ??= new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = HLS_SCRIPT;
      script.onload = () => resolve(window.Hls);
      script.onerror = () => reject(new Error("The player could not be loaded."));
      document.head.append(script);
    }));

  const showReason = (video, text) => {
    const place = video.parentElement.querySelector("[data-player-reason]");
    place.textContent = text;
    place.hidden = false;
  };

  // Asks the file's server itself: the media element keeps its reasons to itself.
  async function findReason(video, fallback) {
    const { url, expires } = video.dataset;
    if (expires && Date.parse(expires) < Date.now()) return "The link to this file has expired.";
    try {
      const answer = await fetch(url, { headers: { Range: "bytes=0-1" }, referrerPolicy: "no-referrer" });
      if (answer.status === 403 || answer.status === 401)
        return `The file's server refuses it (${answer.status}): the link has expired, or is not public.`;
      if (answer.status === 404 || answer.status === 410)
        return `The file is no longer there (${answer.status}).`;
      if (!answer.ok) return `The file's server answers ${answer.status}.`;
      return fallback;
    } catch {
      // no answer that scripts may read: refused by CORS, or no answer at all
    }
    try {
      await fetch(url, { mode: "no-cors", referrerPolicy: "no-referrer" });
      return video.dataset.player === "hls"
        ? "The file's server does not let this site read it (CORS). Open the playlist in your own player, or allow this site in the storage's CORS rules."
        : fallback;
    } catch {
      return "The file's server cannot be reached.";
    }
  }

  const NATIVE = {
    2: "The connection was lost while it was loading.",
    3: "The file is damaged, or uses a feature that this browser cannot decode.",
    4: "This browser cannot decode the file's codec or container.",
  };

  function playNative(video) {
    video.addEventListener("error", async () => {
      const code = video.error?.code;
      showReason(video, await findReason(video, NATIVE[code] ?? "This browser cannot play it."));
    });
  }

  // Beside the video: which levels there are, and how playing goes

  const bitrate = (bits) =>
    bits >= 1e6 ? `${(bits / 1e6).toFixed(1)} Mbit/s` : `${Math.round(bits / 1e3)} kbit/s`;
  const levelName = (level) => (level?.height ? `${level.height}p` : level ? bitrate(level.bitrate) : "");

  function offerLevels(video, hls, Hls) {
    const panel = video.closest(".player").querySelector("[data-player-levels]");
    if (hls.levels.length < 2) return;
    const row = panel.querySelector("template").content;
    const offer = (index, name, note) => {
      const made = row.cloneNode(true);
      const radio = made.querySelector("input");
      radio.checked = index < 0;
      radio.addEventListener("change", () => (hls.nextLevel = index));
      made.querySelector("[data-level-name]").textContent = name;
      const place = made.querySelector("[data-level-note]");
      place.textContent = note;
      panel.append(made);
      return place;
    };
    const auto = offer(-1, "Auto", "");
    hls.levels
      .map((level, index) => [level, index])
      .sort(([one], [other]) => other.bitrate - one.bitrate)
      .forEach(([level, index]) => offer(index, levelName(level), level.height ? bitrate(level.bitrate) : ""));
    hls.on(Hls.Events.LEVEL_SWITCHED, (_, { level }) => {
      auto.textContent = `${levelName(hls.levels[level])} now`;
    });
    panel.hidden = false;
  }

  function showFacts(video) {
    const side = video.closest(".player").querySelector(".player-side");
    const show = (name, text) => {
      const place = side.querySelector(`[data-fact=${name}]`);
      if (place) place.textContent = text;
    };
    for (const part of side.querySelectorAll("[data-player-live]")) part.hidden = false;
    const refresh = () => {
      if (!video.isConnected) return clearInterval(timer);
      const ends = [...Array(video.buffered.length).keys()].map((at) => video.buffered.end(at));
      const ahead = Math.max(0, (ends.find((end) => end >= video.currentTime) ?? 0) - video.currentTime);
      const frames = video.getVideoPlaybackQuality();
      show("loaded", `${Math.round(ahead)} s ahead`);
      show("dropped", `${frames.droppedVideoFrames} of ${frames.totalVideoFrames.toLocaleString("en")} frames`);
      show("bandwidth", current ? bitrate(current.bandwidthEstimate) : "–");
    };
    const timer = setInterval(refresh, 1000);
    refresh();
  }

  // The output that is played, in the table of the outputs
  function markPlaying() {
    const output = document.querySelector("video[data-player]")?.dataset.output;
    for (const row of document.querySelectorAll(".outputs tbody tr"))
      row.classList.toggle("is-playing", row.id === `output-${output}`);
  }

  async function playHls(video) {
    let Hls;
    try {
      Hls = await loadHls();
    } catch (error) {
      showReason(video, error.message);
      return;
    }
    if (!Hls.isSupported()) {
      showReason(video, "This browser has no way to play HLS.");
      return;
    }
    const hls = new Hls({ workerPath: HLS_WORKER, enableWorker: true });
    current = hls;
    hls.on(Hls.Events.ERROR, async (_, problem) => {
      if (!problem.fatal) return;
      hls.destroy();
      const codec = problem.type === Hls.ErrorTypes.MEDIA_ERROR || /codec/i.test(problem.details);
      if (codec) return showReason(video, "This browser cannot decode the stream's codec.");
      const status = problem.response?.code;
      const part = problem.details.includes("frag") ? "A segment" : "A playlist";
      const fallback = status
        ? `${part} is refused by its server (${status}).`
        : `${part} could not be loaded: its server does not answer, or does not let this site read it (CORS).`;
      showReason(video, await findReason(video, fallback));
    });
    hls.loadSource(video.dataset.url);
    hls.attachMedia(video);
    hls.on(Hls.Events.MANIFEST_PARSED, () => {
      offerLevels(video, hls, Hls);
      video.play().catch(() => {});
    });
  }

  function start() {
    markPlaying();
    const video = document.querySelector("video[data-player]:not([data-started])");
    if (!video) return;
    current?.destroy();
    current = undefined;
    video.dataset.started = "yes";
    video.focus({ preventScroll: true });
    showFacts(video);
    if (video.dataset.player === "hls") playHls(video);
    else playNative(video);
  }

  document.addEventListener("htmx:afterSettle", start);
  document.addEventListener("DOMContentLoaded", start);
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-player-close]")) return;
    event.preventDefault();
    current?.destroy();
    current = undefined;
    document.getElementById("player").replaceChildren();
    markPlaying();
  });
})();
