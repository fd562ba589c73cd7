"""Make the binary documents of the sample library.

Writes, next to this file:
  library/safety-rules-zh.pdf         three pages, embedded font subset
  library/calibration-terms-en.pdf    two pages, standard PDF fonts
  library/purchasing-rules-zh.docx    headings, lists and one table
  scans/visitor-notice.png            one page of zh and en text as a picture

Needs reportlab, python-docx and pillow, and a TrueType CJK font (the Debian
package fonts-wqy-zenhei). The same versions give the same bytes each time.

Usage: python make_binaries.py
"""

import datetime
import io
import random
import re
import zipfile
from pathlib import Path

from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt
from PIL import Image, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

HERE = Path(__file__).resolve().parent
CJK_FONT = "/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"
FIXED_DATE = datetime.datetime(2025, 6, 2, 9, 0, 0)

# Blocks are (kind, content): "title", "h" (heading) and "p" (paragraph) hold a
# string, "table" holds a list of rows, the first of which is the header.

SAFETY_ZH = [
    ("title", "泊川仪器苏州工厂安全管理规定"),
    ("p", "文件编号SF-03，第6版，自2025年3月1日起施行。编制人是安全环保经理韦国平，批准人是苏州工厂厂长顾承远。"),
    ("h", "1 适用范围"),
    ("p", "本规定适用于在苏州工厂工作的全体员工、承包商和访客。成都研发中心另有实验室安全规定，本规定只有第9节的演练要求适用于成都研发中心。"),
    ("h", "2 个人防护"),
    ("p", "进入生产车间必须穿防砸安全鞋，并佩戴护目镜。访客只走参观通道的，可以不穿安全鞋，但必须佩戴护目镜。"),
    ("p", "噪声达到85分贝的区域必须佩戴耳塞，噪声达到95分贝的区域必须佩戴耳罩。冲压间属于95分贝区域，装配线不属于噪声区域。"),
    ("p", "光学装调间使用3B类激光器。进入前必须佩戴相应波长的激光防护镜，不得佩戴手表和首饰。"),
    ("p", "静电防护区内必须佩戴腕带，腕带在每班开工前测试一次。测试不合格的腕带不得继续使用。"),
    ("h", "3 化学品"),
    ("p", "每个工位存放的易燃溶剂不得超过2升，溶剂间的存放总量不得超过60升。溶剂间内不得使用手机。"),
    ("p", "福尔马肼标准液由计量校准室专人领用，领用和归还都须双人签字。"),
    ("p", "化学品泄漏量不足1升的，由当班人员用吸附棉处理。泄漏量达到1升的，当班人员须立即撤离并通知安全环保部。"),
    ("p", "废液每周四收集一次，不得倒入下水道，也不得与生活垃圾混放。"),
    ("h", "4 动火作业"),
    ("p", "动火作业须事先办理动火许可证。动火许可证由安全环保经理签发，有效期为8小时。作业点周围10米范围内不得有易燃物。"),
    ("p", "动火作业全程须有一名看火人在场，作业结束后看火人须继续留守30分钟。室外风力达到5级时，不得在室外动火。"),
    ("h", "5 登高作业与受限空间作业"),
    ("p", "在2米及以上高度作业的，须办理登高许可证。登高许可证由车间主任签发，有效期为24小时。"),
    ("p", "进入受限空间作业的，须办理受限空间许可证，有效期为4小时。作业前须测量氧含量，氧含量应在19.5%至23.5%之间。"),
    ("p", "登高作业和受限空间作业都不得由一个人单独进行。"),
    ("h", "6 叉车与厂内交通"),
    ("p", "叉车在室内限速5公里/小时，在室外限速10公里/小时。厂区内其他车辆限速15公里/小时。叉车不得载人。"),
    ("p", "叉车驾驶员须持有效证件上岗，证件每4年复审一次。叉车充电区3米范围内不得堆放物品。"),
    ("h", "7 访客"),
    ("p", "访客须由接待员工全程陪同。访客首次入厂须接受15分钟的安全培训，培训记录的有效期为12个月。16周岁以下的人员不得进入生产车间。"),
    ("h", "8 事故报告"),
    ("table", [
        ["事故类别", "报告时限", "报告对象"],
        ["未造成人员受伤的险情", "24小时内", "班组长"],
        ["轻伤", "1小时内", "安全环保部"],
        ["重伤及以上", "立即", "厂长和安全环保部"],
        ["火灾", "立即", "先拨打119，再通知厂长"],
    ]),
    ("p", "事故调查报告须在事故发生后5个工作日内完成。任何人不得因报告险情而受到处罚。"),
    ("h", "9 疏散与演练"),
    ("p", "苏州工厂每半年组织一次疏散演练，成都研发中心每年组织一次疏散演练。夜班员工每年至少参加一次。"),
    ("p", "1号厂房的集合点是东门停车场，2号厂房的集合点是北门广场。疏散时不得使用电梯，也不得返回取物。"),
    ("p", "苏州工厂共有2台自动体外除颤器，一台在1号厂房一楼门厅，另一台在食堂入口。"),
    ("h", "10 吸烟与违规处理"),
    ("p", "厂区内除食堂北侧的吸烟点外，一律禁止吸烟。电子烟按吸烟处理。"),
    ("p", "首次违反本规定的，给予书面警告，并重新参加4小时的安全培训。12个月内再次违反的，停止上岗，考核合格后方可复岗。"),
]

TERMS_EN = [
    ("title", "Calibration and Warranty Terms (Rotterdam)"),
    ("p", "Document CW-EU, edition of January 2025. These terms apply to instruments that Bochuan Instruments has sold in the European Union, in Switzerland and in the United Kingdom. They do not apply to instruments bought elsewhere."),
    ("h", "1 Warranty, intervals and fees"),
    ("table", [
        ["Instrument", "Warranty period", "Calibration interval", "Calibration fee"],
        ["TM-20", "24 months", "12 months", "EUR 95"],
        ["TM-20L", "24 months", "6 months", "EUR 115"],
        ["FS-80", "24 months", "24 months", "EUR 320"],
        ["FS-85", "36 months", "18 months", "EUR 410"],
    ]),
    ("p", "The warranty period starts on the day of delivery. Rechargeable batteries have a warranty of 12 months. The calibration intervals are recommendations; they refer to calibration in the laboratory and do not replace the adjustment by the user described in the manual."),
    ("p", "A repair under warranty does not extend the warranty period of the instrument. Parts fitted outside the warranty have a warranty of 6 months of their own."),
    ("h", "2 What the warranty does not cover"),
    ("p", "The warranty does not cover damage by corrosion, lightning or liquids that the manual excludes. It does not cover instruments whose housing was opened by the user. Sample cells, coupling grease and coupling pads are consumables and are not covered."),
    ("h", "3 Reporting a defect"),
    ("p", "A defect must be reported in writing within 14 days of its discovery. The service centre answers within 3 working days and issues a return number. A return number is valid for 30 days; instruments that arrive without a valid return number are sent back at the cost of the sender."),
    ("h", "4 Turnaround"),
    ("p", "A calibration takes 12 working days and a repair takes 15 working days, counted from the arrival of the instrument. An express calibration takes 4 working days at a surcharge of 35 % of the fee. Express calibration is not available for the FS-85."),
    ("p", "If a repair costs more than EUR 250, the work starts only after the customer has accepted the quotation. A quotation that is declined is charged at EUR 60."),
    ("h", "5 Transport"),
    ("p", "The customer pays for transport to Rotterdam, also under warranty. Bochuan Instruments pays for the return transport within the European Union. The return transport to Switzerland and to the United Kingdom is charged at cost."),
    ("h", "6 Loan instruments"),
    ("p", "During a repair under warranty, a loan instrument is free of charge for up to 15 working days. After that time, and for all work outside the warranty, the rent is EUR 18 per calendar day. Loan instruments are offered for the FS-80 and the FS-85 only."),
    ("p", "A loan instrument must be returned within 5 working days after the repaired instrument has been received. It must not be passed on to third parties."),
    ("h", "7 Certificates"),
    ("p", "Flow meters are calibrated with water of 20 °C at five flow rates. The expanded uncertainty of the flow calibration is 0.3 % with a coverage factor of 2. Turbidity meters are calibrated at three points with formazin standards."),
    ("p", "The certificate is sent as a PDF within 2 working days after the calibration. A paper copy costs EUR 15. Certificates are kept by the service centre for 10 years."),
    ("h", "8 Instruments that are not collected"),
    ("p", "If an instrument is not collected or paid for within 90 days after the notice of completion, a storage fee of EUR 5 per week is charged. After 12 months the service centre may scrap the instrument."),
    ("h", "9 Data on the instrument"),
    ("p", "The customer saves the stored readings before sending an instrument. The service centre does not promise to keep stored readings during a repair, and the memory is always erased when the main board is replaced."),
]

PURCHASING_ZH = [
    ("title", "泊川仪器采购与供应商管理办法"),
    ("p", "文件编号 PM-05，第 2 版，自 2025 年 2 月 10 日起施行，由采购经理唐一鸣负责解释。本办法适用于苏州工厂和成都研发中心，不适用于鹿特丹服务中心。"),
    ("h", "1 审批权限"),
    ("p", "苏州工厂的采购按单笔不含税金额审批，权限见下表。"),
    ("table", [
        ["单笔不含税金额", "审批人", "报价要求"],
        ["不满 5,000 元", "部门经理", "1 家报价"],
        ["5,000 元以上，不满 50,000 元", "采购经理", "至少 2 家报价"],
        ["50,000 元以上，不满 300,000 元", "苏州工厂厂长", "至少 3 家报价"],
        ["300,000 元以上", "总经理", "公开招标"],
    ]),
    ("p", "成都研发中心单笔不满 30,000 元的研发材料，由研发负责人沈砚审批，只需 1 家报价。其余采购与苏州工厂执行相同的权限。"),
    ("p", "不得把一笔采购拆分成几笔以规避审批权限。紧急采购可以先下单，但须在 2 个工作日内补办审批手续。"),
    ("h", "2 供应商准入"),
    ("p", "新供应商须经过现场审核，满分 100 分。75 分及以上为合格，65 分至 74 分为有条件合格，低于 65 分的不得准入。有条件合格的供应商须在 90 天内完成整改。"),
    ("p", "贸易商不作现场审核，但须提供原厂授权书。员工本人或近亲属持股的企业不得成为供应商。"),
    ("h", "3 定期复评"),
    ("p", "A 类供应商每 24 个月复评一次，B 类供应商每 12 个月复评一次，C 类供应商每 6 个月复评一次。连续两次评为 C 类的供应商，取消资格。"),
    ("h", "4 来料检验"),
    ("p", "关键件的接收质量限（AQL）为 0.65，一般件的接收质量限为 1.5。光源模块和密封圈属于关键件。"),
    ("p", "同一物料连续 3 批不合格的，暂停采购。恢复采购须由质量经理罗佳书面同意。"),
    ("h", "5 付款"),
    ("p", "标准付款条件为收到发票后 60 天付款。年采购额不满 10 万元的小供应商可以改为 30 天付款。"),
    ("p", "预付款不得超过合同金额的 30%。进口设备的预付款可以提高到 40%，须由总经理批准。"),
    ("h", "6 合同与档案"),
    ("p", "金额在 20,000 元以上的采购须签订书面合同。合同和报价资料保存 10 年，来料检验记录保存 5 年。"),
    ("h", "7 廉洁要求"),
    ("p", "采购人员收受礼品的限制按员工手册 HR-01 执行。采购人员在同一物料类别的岗位上连续工作不得超过 4 年。"),
]

NOTICE_SCAN = [
    ("title", "来访与停车须知  Visitor Notice"),
    ("p", "泊川仪器苏州工厂，2025年4月  Bochuan Instruments, Suzhou plant, April 2025"),
    ("h", "一、登记  Registration"),
    ("p", "访客须在东门门卫室登记，并出示有效证件。登记时间为工作日8:30至16:30。"),
    ("p", "Visitors register at the east gate with a valid identity document, on working days from 8:30 to 16:30."),
    ("h", "二、胸卡  Badges"),
    ("p", "访客须佩戴蓝色胸卡，承包商须佩戴橙色胸卡。胸卡须在离厂时交还，遗失胸卡须赔偿50元。"),
    ("p", "Visitors wear a blue badge, contractors an orange one. A lost badge costs CNY 50."),
    ("h", "三、停车  Parking"),
    ("p", "访客车辆停放在P2停车场，最长停放6小时。P1停车场只供员工使用。电动汽车不得在地下车库充电。"),
    ("p", "Visitors park in car park P2 for up to 6 hours. Car park P1 is for employees only. Electric cars must not be charged in the underground garage."),
    ("h", "四、拍照  Photographs"),
    ("p", "厂区内不得拍照。经接待员工同意，可以在展厅拍照。"),
    ("p", "Photographs are not allowed on the site, except in the showroom with the consent of the host."),
]


def wrap(text, width, measure):
    """Break text into lines of at most width; number and unit stay together."""
    # A token is a number with its currency, unit or next two characters, or a
    # Latin word, or one character; closing punctuation sticks to the left.
    tokens = re.findall(
        r"(?:EUR |CNY )?[!-~°–]*\d[!-~°–]*(?: [%A-Za-z°.,;]+)?[一-龥]{0,2}(?:/小时)?[，。、；：）]*"
        r"|[!-~°–]+[，。、；：）]*|[ ]+|[^ ][，。、；：）]*", text)
    lines, line = [], ""
    for token in tokens:
        if line and measure(line + token) > width:
            lines.append(line.rstrip())
            line = token.lstrip()
        else:
            line += token
    lines.append(line.rstrip())
    if len(lines) > 1 and len(lines[-1]) < 4:  # a stub: try narrower lines
        return wrap(text, width - measure("0000"), measure)
    return lines


class PdfSheet:
    """A PDF under construction: a canvas, its fonts and the present height."""

    MARGIN = 68
    SIZES = {"title": 17, "h": 13, "p": 11.5, "cell": 10.5}

    def __init__(self, path, title, fonts, footer, leading):
        """Open the file; fonts are (plain, bold), footer takes the page number."""
        self.canvas = Canvas(str(path), pagesize=A4, invariant=1)
        self.canvas.setTitle(title)
        self.canvas.setAuthor("Bochuan Instruments")
        self.plain, self.bold = fonts
        self.footer, self.leading = footer, leading
        self.page, self.top = 1, A4[1] - self.MARGIN
        self.y, self.width = self.top, A4[0] - 2 * self.MARGIN

    def close_page(self):
        """Write the page footer and go on to a fresh page."""
        self.canvas.setFont(self.plain, 9)
        self.canvas.drawCentredString(A4[0] / 2, 36, self.footer.format(self.page))
        self.canvas.showPage()
        self.page, self.y = self.page + 1, self.top

    def need(self, height):
        """Start a new page when height points no longer fit."""
        if self.y - height < self.MARGIN - 6:
            self.close_page()

    def text(self, kind, text):
        """Write a title, heading or paragraph, never split over two pages."""
        size = self.SIZES[kind]
        font = self.plain if kind == "p" else self.bold
        step = size * self.leading
        lines = wrap(text, self.width, lambda s: pdfmetrics.stringWidth(s, font, size))
        # A heading also needs room for the block under it.
        self.need(len(lines) * step + (165 if kind == "h" else 0))
        if kind == "h" and self.y != self.top:
            self.y -= 7
        for line in lines:
            self.y -= step
            self.canvas.setFont(font, size)
            self.canvas.drawString(self.MARGIN, self.y, line)
        self.y -= 6

    def table(self, rows):
        """Write a ruled table of equal columns with one line in each cell."""
        height, size = 22, self.SIZES["cell"]
        self.need(height * len(rows) + 12)
        column = self.width / len(rows[0])
        self.y -= 4
        for number, row in enumerate(rows):
            self.canvas.setFont(self.plain if number else self.bold, size)
            for place, cell in enumerate(row):
                left = self.MARGIN + place * column
                self.canvas.rect(left, self.y - height, column, height)
                self.canvas.drawString(left + 5, self.y - height + 7, cell)
            self.y -= height
        self.y -= 6


def make_pdf(path, blocks, fonts, footer, leading):
    """Write the blocks as a PDF with a text layer."""
    sheet = PdfSheet(path, blocks[0][1], fonts, footer, leading)
    for kind, content in blocks:
        if kind == "table":
            sheet.table(content)
        else:
            sheet.text(kind, content)
    sheet.close_page()
    sheet.canvas.save()


def add_docx_table(document, rows):
    """Add a table with a header row to the Word document."""
    table = document.add_table(rows=0, cols=len(rows[0]), style="Table Grid")
    for number, row in enumerate(rows):
        for cell, text in zip(table.add_row().cells, row, strict=True):
            run = cell.paragraphs[0].add_run(text)
            run.bold = number == 0
    document.add_paragraph()


def fixed_zip(data):
    """Return the zip archive with every time stamp set to one fixed date."""
    source, target = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as out:
        for name in source.namelist():
            info = zipfile.ZipInfo(name, FIXED_DATE.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(info, source.read(name))
    return target.getvalue()


def make_docx(path, blocks):
    """Write the blocks as a Word document with headings and tables."""
    document = Document()
    for name in ("Normal", "Title", "Heading 1"):
        style = document.styles[name]
        style.font.name = "Arial"
        fonts = style.element.rPr.rFonts
        for theme in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn("w:" + theme), None)
        fonts.set(qn("w:eastAsia"), "Microsoft YaHei")
    document.styles["Normal"].font.size = Pt(11)
    for kind, content in blocks:
        if kind == "table":
            add_docx_table(document, content)
        elif kind == "p":
            document.add_paragraph(content)
        else:
            document.add_heading(content, level=0 if kind == "title" else 1)
    properties = document.core_properties
    properties.title, properties.author = blocks[0][1], "泊川仪器采购部"
    properties.comments, properties.last_modified_by = "", "泊川仪器采购部"
    properties.created = properties.modified = FIXED_DATE
    buffer = io.BytesIO()
    document.save(buffer)
    path.write_bytes(fixed_zip(buffer.getvalue()))


def make_scan(path, blocks):
    """Draw the blocks as a slightly skewed, speckled grey page picture."""
    page = Image.new("L", (1240, 1754), 250)
    draw = ImageDraw.Draw(page)
    sizes, margin, y = {"title": 46, "h": 36, "p": 29}, 120, 140
    for kind, text in blocks:
        font = ImageFont.truetype(CJK_FONT, sizes[kind])
        y += 18 if kind == "h" else 0
        for line in wrap(text, page.width - 2 * margin, font.getlength):
            draw.text((margin, y), line, font=font, fill=35)
            y += int(sizes[kind] * 1.55)
        y += 14
    page = page.rotate(0.6, Image.Resampling.BICUBIC, fillcolor=250)
    page = page.filter(ImageFilter.GaussianBlur(0.6))
    chance = random.Random(2025)
    for _ in range(1200):
        spot = (chance.randrange(page.width), chance.randrange(page.height))
        page.putpixel(spot, chance.randrange(120, 220))
    page.quantize(16).save(path, optimize=True, dpi=(150, 150))


def main():
    """Write all binary documents."""
    (HERE / "library").mkdir(exist_ok=True)
    (HERE / "scans").mkdir(exist_ok=True)
    pdfmetrics.registerFont(TTFont("Cjk", CJK_FONT, subfontIndex=0))
    make_pdf(HERE / "library/safety-rules-zh.pdf", SAFETY_ZH, ("Cjk", "Cjk"),
             "SF-03 第{}页", 2.05)
    make_pdf(HERE / "library/calibration-terms-en.pdf", TERMS_EN,
             ("Helvetica", "Helvetica-Bold"), "CW-EU, page {}", 1.4)
    make_docx(HERE / "library/purchasing-rules-zh.docx", PURCHASING_ZH)
    make_scan(HERE / "scans/visitor-notice.png", NOTICE_SCAN)


if __name__ == "__main__":
    main()
