// Makes the ladders of the book steppable: buttons, keys, and links to a step (`#accept/3`).
// Without it each figure shows all of its steps.
"use strict";

(() => {
    // The calls of a step as they stand in the code of the labs.
    const CODE = {
        "bind, listen": ["TcpListener::bind("],
        accept: [".accept("],
        connect: ["TcpStream::connect("],
        read: [".read(", ".read_until(", "io::copy("],
        write: [".write_all(", ".write(", "io::copy("],
        "shutdown(Write)": [".shutdown("],
        bind: ["UdpSocket::bind("],
        "bind, connect": ["UdpSocket::bind(", ".connect("],
        recv_from: [".recv_from("],
        recv: [".recv("],
        send_to: [".send_to("],
        send: [".send("],
    };

    class Ladder {
        constructor(figure) {
            this.figure = figure;
            this.name = figure.dataset.ladder;
            // The same steps twice: drawn wide and narrow. The page's style shows one of them.
            this.drawings = [...figure.querySelectorAll("svg")].map((svg) => [...svg.querySelectorAll("g.step")]);
            this.count = this.drawings[0].length;
            // 0 shows all of them.
            this.now = 0;
            this.addBar();
            figure.tabIndex = 0;
            const what = figure.dataset.what ?? "Conversation in steps";
            figure.setAttribute("aria-label", `${what}: arrow keys, Home, End, Escape`);
            figure.addEventListener("keydown", (event) => this.key(event));
            for (const steps of this.drawings) {
                steps.forEach((step, index) => step.addEventListener("click", () => this.show(index + 1)));
            }
            this.show(0);
        }

        addBar() {
            const bar = document.createElement("div");
            bar.className = "ladder-bar";
            const button = (text, label, act) => {
                const made = document.createElement("button");
                made.type = "button";
                made.textContent = text;
                made.setAttribute("aria-label", label);
                made.addEventListener("click", act);
                bar.append(made);
                return made;
            };
            this.back = button("◀ Back", "the step before", () => this.show(this.now - 1));
            this.next = button("Next ▶", "the next step", () => this.show(this.now + 1));
            this.all = button("Show all", "all steps", () => this.show(0));
            this.said = document.createElement("p");
            this.said.className = "ladder-now";
            this.said.setAttribute("aria-live", "polite");
            bar.append(this.said);
            this.bar = bar;
            const caption = this.figure.querySelector("figcaption");
            caption.after(bar);
        }

        key(event) {
            const to = {
                ArrowRight: this.now + 1,
                ArrowLeft: this.now - 1,
                Home: 1,
                End: this.count,
                Escape: 0,
            }[event.key];
            if (to === undefined || event.altKey || event.ctrlKey || event.metaKey) {
                return;
            }
            // mdBook turns pages with the arrow keys.
            event.stopPropagation();
            event.preventDefault();
            this.show(to);
        }

        show(step, scroll = true) {
            const before = this.now;
            this.now = Math.max(0, Math.min(step, this.count));
            for (const steps of this.drawings) {
                steps.forEach((group, index) => {
                    group.classList.toggle("now", index + 1 === this.now);
                    group.classList.toggle("later", this.now > 0 && index + 1 > this.now);
                });
            }
            this.back.disabled = this.now === 0;
            this.next.disabled = this.now === this.count;
            this.all.disabled = this.now === 0;
            this.tell();
            highlight(this.current());
            if (scroll) {
                this.bringIntoSight();
            }
            if (before !== this.now) {
                const place = this.now ? `#${this.name}/${this.now}` : `#${this.name}`;
                history.replaceState(history.state, "", place);
            }
        }

        // The step that is shown, in the drawing that is shown.
        current() {
            const drawn = this.drawings.map((steps) => steps[this.now - 1]);
            return drawn.find((step) => step && step.getClientRects().length > 0);
        }

        // What happens in the step, and why that matters.
        tell() {
            const item = this.figure.querySelectorAll(".ladder-text li")[this.now - 1];
            if (!item) {
                this.said.textContent = `${this.count} steps`;
                return;
            }
            const what = document.createElement("strong");
            what.textContent = item.querySelector(".ladder-what").textContent;
            const why = item.querySelector(".ladder-why")?.textContent ?? "";
            this.said.replaceChildren(`Step ${this.now} of ${this.count}. `, what, `. ${why}`);
        }

        // The bar stays at the top of the window: what counts is the room below it.
        bringIntoSight() {
            const step = this.current()?.getBoundingClientRect();
            if (!step) {
                return;
            }
            const top = parseFloat(getComputedStyle(this.bar).top) + this.bar.offsetHeight + 8;
            const bottom = window.innerHeight - 8;
            if (step.top < top || step.height > bottom - top) {
                window.scrollBy(0, step.top - top);
            } else if (step.bottom > bottom) {
                window.scrollBy(0, step.bottom - bottom);
            }
        }
    }

    // Marks a program's call in the code of the page, where the browser can do that without
    // changing the page (CSS custom highlights).
    function highlight(step) {
        if (!window.CSS || !CSS.highlights) {
            return;
        }
        CSS.highlights.delete("ladder-call");
        const words = (step && step.classList.contains("program") && CODE[step.dataset.call]) || [];
        const ranges = words.flatMap((word) => {
            const blocks = [...document.querySelectorAll("main code.language-rust")];
            return blocks.flatMap((block) => find(block, word));
        });
        if (ranges.length > 0) {
            CSS.highlights.set("ladder-call", new Highlight(...ranges));
        }
    }

    // Where a text stands in an element, however it is cut into nodes.
    function find(element, text) {
        const nodes = [];
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        let all = "";
        while (walker.nextNode()) {
            nodes.push([all.length, walker.currentNode]);
            all += walker.currentNode.data;
        }
        const locate = (offset) => nodes.findLast(([start]) => start <= offset);
        const ranges = [];
        for (let at = all.indexOf(text); at >= 0; at = all.indexOf(text, at + 1)) {
            const range = document.createRange();
            const [start, first] = locate(at);
            const [end, last] = locate(at + text.length - 1);
            range.setStart(first, at - start);
            range.setEnd(last, at + text.length - end);
            ranges.push(range);
        }
        return ranges;
    }

    const ladders = [...document.querySelectorAll("figure.ladder")].map((one) => new Ladder(one));

    // `#accept/3`, and `#accept` for the whole figure.
    function follow() {
        const [name, step] = decodeURIComponent(location.hash.slice(1)).split("/");
        const ladder = ladders.find((one) => one.name === name);
        if (ladder) {
            ladder.figure.scrollIntoView({ block: "start" });
            ladder.show(Number(step) || 0);
        }
    }

    window.addEventListener("hashchange", follow);
    follow();
})();
